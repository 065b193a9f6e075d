// Tests of the kernels; the other kernel_test files of this folder register theirs.
#include "kernel_test.hpp"

#include <cstring>

#include "../cpu/aes_portable.hpp"
#include "../cpu/dispatch.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

Words words_of(const uint8_t* bytes, size_t count) {
  Words words(count / 8);
  std::memcpy(words.data(), bytes, count);
  return words;
}

}  // namespace

TEST("key expansion agrees with FIPS-197, appendix A.1") {
  const uint8_t seed[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                            0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
  const uint8_t first[4] = {0xa0, 0xfa, 0xfe, 0x17}, last[4] = {0xb6, 0x63, 0x0c, 0xa6};
  Key key;
  expand_key(seed, &key);
  CHECK(!std::memcmp(key.round_keys, seed, 16));
  CHECK(!std::memcmp(key.round_keys + 16, first, 4));
  CHECK(!std::memcmp(key.round_keys + 172, last, 4));
}

TEST("AES agrees with FIPS-197, appendix B and C.1") {
  const uint8_t seeds[2][16] = {
      {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c},
      {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f}};
  const uint8_t plain[2][16] = {
      {0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d, 0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34},
      {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}};
  const uint8_t cipher[2][16] = {
      {0x39, 0x25, 0x84, 0x1d, 0x02, 0xdc, 0x09, 0xfb, 0xdc, 0x11, 0x85, 0x97, 0x19, 0x6a, 0x0b, 0x32},
      {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a}};
  for (int i = 0; i < 2; ++i) {
    Key key;
    expand_key(seeds[i], &key);
    const Words in = words_of(plain[i], 16), wanted = words_of(cipher[i], 16);
    uint64_t state[2] = {in[0], in[1]};
    aes_portable(key, state);
    CHECK(state[0] == wanted[0] && state[1] == wanted[1]);
    // The same block out of a stream: as elements of 64 bits, expanded by a kernel.
    for (const uint64_t n : {1, 2}) {
      const Prg prg = {&key, in[1], in[0], 1};
      const Source source = {nullptr, Layout::ring, 64, 0, n, 1, n, &prg, 1, nullptr};
      Result out = ring_result(n);
      expect_ring({1, {source}, {&out}, {0, 1}, 0}, [&](uint64_t e) { return wanted[e]; });
    }
  }
}

TEST("a stream counts its blocks in the low 64 bits, from the epoch on") {
  Rng rng(1);
  uint8_t seed[16];
  for (uint8_t& byte : seed) byte = static_cast<uint8_t>(rng.next());
  Key key;
  expand_key(seed, &key);
  const Prg prg = {&key, uint64_t{77} << 32 | 5, uint64_t{3} << 40, 1};
  const uint64_t n = 5000;
  const Source source = {nullptr, Layout::ring, 64, 0, n, 1, n, &prg, 1, nullptr};
  Result out = ring_result(n);
  expect_ring({1, {source}, {&out}, {0, 1}, 0}, [&](uint64_t e) {
    uint64_t block[2] = {(uint64_t{3} << 40) + e / 2, uint64_t{77} << 32 | 5};
    aes_portable(key, block);
    return block[e % 2];
  });
}

TEST("tables are chosen by name") {
  const auto all = tables();
  CHECK(!all.empty());
  for (const KernelTable* table : all) {
    CHECK(kernel_table(table->isa) == table);
    CHECK(table->count == all[0]->count);
    for (size_t i = 0; i < table->count; ++i) {
      CHECK(table->kernels[i].id == all[0]->kernels[i].id);
      CHECK(!i || table->kernels[i].id > table->kernels[i - 1].id);
    }
  }
  CHECK(!kernel_table("mmx"));
  CHECK(!std::strcmp(all.back()->isa, "baseline"));
}

int main() { return run_all(); }
