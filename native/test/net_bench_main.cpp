// Prints what net_bench.hpp measures, without Node:
//   cmake -S . -B build-net -DCRYPTORCH_NET_TEST=ON && cmake --build build-net --target net_bench
//   build-net/net_bench [rounds] [megabytes]
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "net_bench.hpp"

namespace cryptorch::test {
namespace {

int main(int count, char** arguments) {
  const size_t rounds = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 5000;
  const uint64_t total = (count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1024) << 20;
  const Certificates certificates;
  for (const char* kind : {"blocking sockets", "blocking TLS", "frames, plain TCP", "frames, TLS"}) {
    Samples samples = rounds_in_processes(kind, rounds, false);
    std::sort(samples.begin(), samples.end());
    std::printf("%-34s median %7.1f us, 90th %7.1f us\n", kind, samples[rounds / 2] * 1e6,
                samples[rounds * 9 / 10] * 1e6);
    std::fflush(stdout);
  }
  const double raw = raw_throughput(certificates, total);
  std::printf("%-34s %6.2f GB/s\n", "raw TLS, 16 KiB writes", raw);
  const double tls = frame_throughput(&certificates, total, false);
  std::printf("%-34s %6.2f GB/s, %.0f %% of raw TLS\n", "frames, TLS, 16 MiB", tls, tls / raw * 100);
  std::printf("%-34s %6.2f GB/s each way\n", "frames, TLS, 16 MiB, both ways",
              frame_throughput(&certificates, total, true));
  std::printf("%-34s %6.2f GB/s\n", "frames, plain TCP, 16 MiB", frame_throughput(nullptr, total, false));
  return 0;
}

}  // namespace
}  // namespace cryptorch::test

int main(int count, char** arguments) { return cryptorch::test::main(count, arguments); }
