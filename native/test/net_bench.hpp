// Rounds and throughput between two processes of this machine over loopback; net_bench_main.cpp prints them,
// bench/kernels.ts compares them.
#pragma once
#include <string>
#include <vector>

#include "net_support.hpp"

namespace cryptorch::test {

using Samples = std::vector<double>;

// Seconds of each of `rounds` dependent rounds of 64 bytes (64 there, 64 back) between two new processes, by
// "blocking sockets", "blocking TLS", "frames, plain TCP" or "frames, TLS". With `shared_core` both processes
// have one core between them, and what may poll must find that out.
Samples rounds_in_processes(const std::string& kind, size_t rounds, bool shared_core);

// GB/s of `total` bytes one way, or both ways at a time.
double raw_throughput(const Certificates& certificates, uint64_t total);
double frame_throughput(const Certificates* certificates, uint64_t total, bool duplex);

}  // namespace cryptorch::test
