// The state of a role on disk: shares and openings that outlive a process, and a header of the caller's.
//   "CCTSTAT1" | bytes of the header u64 | bytes of the state u64 | crc32c of the state u32 | crc32c of all
//   before and of the header u32 | header | state                                            (little-endian)
// A file is replaced as a whole or not at all, also where the machine stops in between, and only its owner
// may read it. The checksums find damage, not tampering: whoever can write the file is this role.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace cryptorch {

// Throws Error(file).
void save_state(const std::string& path, std::span<const std::byte> header, std::span<const std::byte> state);

// The header. `state` is written only if the whole file is sound and has its size. Throws Error(file) or
// Error(bad_state).
std::vector<std::byte> load_state(const std::string& path, std::span<std::byte> state);

}  // namespace cryptorch
