// AES-128 keys of pseudo-random streams. How a stream is addressed is in kernel.hpp (Prg); how it is
// expanded, in cpu/aes.hpp. Key expansion is plain C++ without secret-dependent branches or table look-ups.
#pragma once
#include <cstdint>

namespace cryptorch {

struct Key {
  alignas(64) uint8_t round_keys[176];  // 11 round keys of 16 bytes, FIPS-197 order
};

void expand_key(const uint8_t seed[16], Key* key);

}  // namespace cryptorch
