// The bounds that kernels are compared with: multiply-adds in registers and reading memory. The compiler must
// see neither factors nor products, or it moves them out of the loop or adds up constants; a test reads the
// instructions of these loops.
#include <memory>

#include "kernel_bench.hpp"

namespace cryptorch::bench {
namespace {

constexpr uint64_t kRounds = 1 << 12;

}  // namespace

#if defined(__x86_64__)

typedef long long Wide __attribute__((vector_size(64)));
typedef long long Half __attribute__((vector_size(32)));

// Sixteen sums of eight lanes.
extern "C" __attribute__((target("avx512f,avx512dq"), noinline, used)) void multiply_add_avx512(
    uint64_t rounds) {
  Wide sum[16] = {}, x = {3, 5, 7, 9, 11, 13, 15, 17}, y = x * 12345;
  for (uint64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
    for (Wide& s : sum) {
      Wide product;
      asm volatile("vpmullq %2, %1, %0" : "=v"(product) : "v"(x), "v"(y));
      s += product;
    }
  }
  for (const Wide& s : sum) asm volatile("" : : "v"(s));
}

// Six pairs of sums of four lanes: AVX2 has no 64-bit multiplication, so a product is a0 b0 + 2^32 (a0 b1 +
// a1 b0).
extern "C" __attribute__((target("avx2"), noinline, used)) void multiply_add_avx2(uint64_t rounds) {
  Half low[6] = {}, cross[6] = {}, x = {3, 5, 7, 9};
  for (uint64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 6
    for (int s = 0; s < 6; ++s) {
      Half product;
      asm volatile("vpmuludq %1, %1, %0" : "=v"(product) : "v"(x));
      low[s] += product;
      asm volatile("vpmuludq %1, %1, %0" : "=v"(product) : "v"(x));
      cross[s] += product;
      asm volatile("vpmuludq %1, %1, %0" : "=v"(product) : "v"(x));
      cross[s] += product;
    }
  }
  for (int s = 0; s < 6; ++s) asm volatile("" : : "v"(low[s]), "v"(cross[s]));
}

#endif

// Eight sums.
extern "C" __attribute__((noinline, used)) void multiply_add_scalar(uint64_t rounds) {
  uint64_t sum[8] = {}, x = 3, y = 5;
  for (uint64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 8
    for (uint64_t& s : sum) {
      asm volatile("" : "+r"(x));
      s += x * y;
      asm volatile("" : "+r"(s));
    }
  }
  for (const uint64_t s : sum) asm volatile("" : : "r"(s));
}

Workload register_loop(const std::string& isa) {
#if defined(__x86_64__)
  if (isa == "avx512" || isa == "avx512core")
    return {[] { multiply_add_avx512(kRounds); }, kRounds * 16 * 8.0};
  if (isa == "avx2") return {[] { multiply_add_avx2(kRounds); }, kRounds * 6 * 4.0};
#endif
  return {[] { multiply_add_scalar(kRounds); }, kRounds * 8.0};
}

namespace {

typedef uint64_t Piece __attribute__((vector_size(64), aligned(8), may_alias));
constexpr size_t kPlaces = 4;

// Four places at a time: a processor's prefetchers follow several streams faster than one.
#if defined(__x86_64__) && defined(__linux__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void
read_pieces(const Piece* from, size_t pieces) {
  Piece sum[kPlaces] = {};
  for (size_t i = 0; i < pieces; ++i) {
#pragma GCC unroll 4
    for (size_t k = 0; k < kPlaces; ++k) sum[k] += from[k * pieces + i];
  }
  const Piece all = sum[0] + sum[1] + sum[2] + sum[3];
  asm volatile("" : : "m"(all));
}

}  // namespace

Workload stream(uint64_t bytes) {
  const size_t pieces = bytes / sizeof(Piece) / kPlaces;
  const auto words = std::make_shared<std::vector<uint64_t>>(kPlaces * pieces * 8, 1);
  const auto run = [words, pieces] { read_pieces(reinterpret_cast<const Piece*>(words->data()), pieces); };
  return {run, static_cast<double>(kPlaces * pieces * sizeof(Piece))};
}

}  // namespace cryptorch::bench
