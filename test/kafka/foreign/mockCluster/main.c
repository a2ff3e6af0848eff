/*
 * librdkafka's mock cluster as a process: a broker that nobody of this project wrote. Prints its addresses, then serves until its input ends.
 * Commands, one a line: "topic NAME PARTITIONS", "fail API_KEY ERROR COUNT". Each is answered with "ok".
 */
#include "rdkafka.h"
#include "rdkafka_mock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  int brokers = argc > 1 ? atoi(argv[1]) : 1;
  char reason[512], line[512], name[256];
  int first, second, third;
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof(reason));
  if (!rk) {
    fprintf(stderr, "%s\n", reason);
    return 1;
  }
  rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, brokers);
  printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
  fflush(stdout);
  while (fgets(line, sizeof(line), stdin)) {
    if (sscanf(line, "topic %255s %d", name, &first) == 2) {
      rd_kafka_mock_topic_create(cluster, name, first, 1);
    } else if (sscanf(line, "fail %d %d %d", &first, &second, &third) == 3) {
      rd_kafka_resp_err_t errors[64];
      if (third > 64) third = 64;
      for (int i = 0; i < third; i++) errors[i] = (rd_kafka_resp_err_t)second;
      rd_kafka_mock_push_request_errors_array(cluster, (int16_t)first, (size_t)third, errors);
    } else {
      fprintf(stderr, "unknown command: %s", line);
      return 2;
    }
    printf("ok\n");
    fflush(stdout);
  }
  rd_kafka_mock_cluster_destroy(cluster);
  rd_kafka_destroy(rk);
  return 0;
}
