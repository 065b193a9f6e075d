// A bundle: everything a local run needs in one file, so that the driver can repeat it without Node. It holds
// seeds and inputs in the clear: for tests, sanitizers and profilers only.
//
// Little-endian 64-bit words; seeds are 16 bytes; every array is padded with zeros to a multiple of 8 bytes.
//   "CCTBUND1" | epoch | run | share seed given (0 or 1) | share seed, or 16 zero bytes | roles
//   per role:   words of the plan | the plan
//               keys | the seeds
//               inputs, by position in the plan's table | per input: type, elements, data
//                   (type 0 none, 1 float32, 2 float64, 3 int32, 4 int64)
//               outputs wanted as integers | their positions
#pragma once
#include <span>
#include <vector>

#include "local.hpp"

namespace cryptorch {

std::vector<std::byte> encode_bundle(const LocalConfig& config);

// Throws Error(bad_plan). Threads, limits and instruction set are left at their defaults.
LocalConfig decode_bundle(std::span<const std::byte> bytes);

}  // namespace cryptorch
