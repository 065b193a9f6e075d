// Expansion of pseudo-random streams: AES-128 in counter mode, addressed at random (see Prg in kernel.hpp),
// with VAES on 512-bit registers, AES-NI, or portable code where the processor is not an x86.
#pragma once
#include "target.hpp"

namespace cryptorch::CT_TARGET {

// What happens to the words of the destination.
enum class Mix { set, add, subtract, exclusive };

// Mixes blocks first .. first + blocks - 1 of the stream into `blocks` * 16 bytes at `out`, as 64-bit words.
void expand_set(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out);
void expand_add(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out);
void expand_subtract(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out);
void expand_exclusive(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out);

// Blocks blocks[0], blocks[1], ... of the stream, one after the other.
void expand_blocks(const Prg& prg, const uint64_t* blocks, uint32_t count, uint64_t* out);

}  // namespace cryptorch::CT_TARGET
