// franz-go as a peer: fills a window for some seconds and prints one line of JSON with what was acknowledged.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"math/rand"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func cpuMicros() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1000
}

func main() {
	brokers := flag.String("brokers", "", "host:port, comma separated")
	topic := flag.String("topic", "", "an existing topic")
	valueBytes := flag.Int("value-bytes", 100, "bytes of a value")
	window := flag.Int("window", 10000, "records outstanding; Produce blocks beyond them")
	seconds := flag.Float64("seconds", 3, "measured time")
	warmup := flag.Float64("warmup", 1, "seconds before it")
	linger := flag.Duration("linger", -1, "producer linger; negative: the client's default")
	batchBytes := flag.Int("batch-bytes", 0, "largest batch; 0: the client's default")
	plain := flag.Bool("plain", false, "without idempotence")
	flag.Parse()

	// The default codec is snappy: everybody is compared without one.
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(*brokers, ",")...),
		kgo.DefaultProduceTopic(*topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.MaxBufferedRecords(*window),
	}
	if *linger >= 0 {
		options = append(options, kgo.ProducerLinger(*linger))
	}
	if *batchBytes > 0 {
		options = append(options, kgo.ProducerBatchMaxBytes(int32(*batchBytes)))
	}
	if *plain {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		panic(err)
	}
	defer client.Close()

	values := make([][]byte, 2003)
	for i := range values {
		values[i] = make([]byte, *valueBytes)
		rand.New(rand.NewSource(int64(i))).Read(values[i])
	}
	var delivered, failed atomic.Int64
	done := func(_ *kgo.Record, err error) {
		if err != nil {
			failed.Add(1)
			return
		}
		delivered.Add(1)
	}
	ctx := context.Background()
	fill := func(forSeconds float64) {
		end := time.Now().Add(time.Duration(forSeconds * float64(time.Second)))
		for n := 0; n%256 != 0 || time.Now().Before(end); n++ {
			client.Produce(ctx, &kgo.Record{Value: values[n%len(values)]}, done)
		}
		if err := client.Flush(ctx); err != nil {
			panic(err)
		}
	}
	fill(*warmup)

	before, cpu, start := delivered.Load(), cpuMicros(), time.Now()
	fill(*seconds)
	elapsed, used := time.Since(start).Seconds(), cpuMicros()-cpu
	measured := float64(delivered.Load() - before)
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"recordsPerSecond":   measured / elapsed,
		"cpuMicrosPerRecord": used / measured,
		"delivered":          delivered.Load(),
		"failed":             failed.Load(),
	}); err != nil {
		panic(err)
	}
}
