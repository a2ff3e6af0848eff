// franz-go's kfake as a process, a broker that nobody of this project wrote, and franz-go's client.
//
//	kfake serve BROKERS              prints the addresses, then serves until its input ends. Commands, one a line, each answered with a line:
//	                                 "create TOPIC PARTITIONS", "delete TOPIC", "move TOPIC PARTITION NODE", "fail API_KEY CODE COUNT"
//	kfake produce BOOTSTRAP TOPIC    writes the lines of its input, idempotently
//	kfake transact BOOTSTRAP TOPIC   the same in a transaction that is committed
//	kfake read BOOTSTRAP TOPIC N     prints the values of the first N committed records
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	check(err)
	return n
}

func serve(brokers int) {
	c, err := kfake.NewCluster(kfake.NumBrokers(brokers), kfake.DefaultNumPartitions(3), kfake.AllowAutoTopicCreation())
	check(err)
	defer c.Close()
	fmt.Println(strings.Join(c.ListenAddrs(), ","))
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch f := strings.Fields(in.Text()); f[0] {
		case "create":
			fmt.Println(c.CreateTopic(f[1], int32(number(f[2])), nil))
		case "delete":
			fmt.Println(c.DeleteTopic(f[1]))
		case "move":
			fmt.Println(c.MoveTopicPartition(f[1], int32(number(f[2])), int32(number(f[3]))))
		case "fail":
			e, ok := kerr.ErrorForCode(int16(number(f[2]))).(*kerr.Error)
			if !ok {
				check(fmt.Errorf("no error code %s", f[2]))
			}
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Key(number(f[1]))}, Err: e, Count: number(f[3])})
			fmt.Println("ok")
		default:
			check(fmt.Errorf("unknown command %q", in.Text()))
		}
	}
}

func lines() []*kgo.Record {
	var records []*kgo.Record
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		records = append(records, kgo.StringRecord(in.Text()))
	}
	return records
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	args := os.Args[1:]
	if args[0] == "serve" {
		serve(number(args[1]))
		return
	}
	opts := []kgo.Opt{kgo.SeedBrokers(strings.Split(args[1], ",")...), kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic(args[2])}
	switch args[0] {
	case "produce":
		client, err := kgo.NewClient(opts...)
		check(err)
		defer client.Close()
		check(client.ProduceSync(ctx, lines()...).FirstErr())
	case "transact":
		client, err := kgo.NewClient(append(opts, kgo.TransactionalID("franz"))...)
		check(err)
		defer client.Close()
		check(client.BeginTransaction())
		check(client.ProduceSync(ctx, lines()...).FirstErr())
		check(client.EndTransaction(ctx, kgo.TryCommit))
	case "read":
		client, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(args[2]), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
		check(err)
		defer client.Close()
		for left := number(args[3]); left > 0; {
			fetches := client.PollFetches(ctx)
			for _, e := range fetches.Errors() {
				check(e.Err)
			}
			fetches.EachRecord(func(r *kgo.Record) {
				fmt.Println(string(r.Value))
				left--
			})
		}
	default:
		check(fmt.Errorf("unknown command %q", args[0]))
	}
}
