// Regions: alignment, zeros, accounting, refusal.
#include "../core/arena.hpp"

#include "harness.hpp"

namespace cryptorch {

TEST("regions start at multiples of 64, hold zeros and are counted") {
  Arena arena;
  {
    Region a = arena.allocate(1000), b = arena.allocate(0);
    CHECK(reinterpret_cast<uintptr_t>(a.data()) % 64 == 0 && reinterpret_cast<uintptr_t>(b.data()) % 64 == 0);
    CHECK(b.data() != nullptr && a.size() == 1000 && b.size() == 0);
    bool zero = true;
    for (size_t i = 0; i < 1000 + 64; ++i) zero &= a.data()[i] == std::byte{0};  // the tail is readable
    CHECK(zero);
    CHECK(arena.live() == 1000);
    Region moved = std::move(a);
    CHECK(a.data() == nullptr && moved.size() == 1000 && arena.live() == 1000);
    Region c = arena.allocate(500);
    CHECK(arena.live() == 1500);
    c = Region();
    CHECK(arena.live() == 1000);
  }
  CHECK(arena.live() == 0 && arena.peak() == 1500);
}

TEST("what goes over the limit is refused, with the bytes needed") {
  Arena arena(4096);
  Region a = arena.allocate(4000);
  try {
    arena.allocate(97);
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.code == Code::out_of_memory);
    CHECK(error.details.at(0).key == "needed" && std::get<int64_t>(error.details.at(0).value) == 4097);
  }
  CHECK(arena.live() == 4000);
  Arena machine;
  CHECK_ERROR(Code::out_of_memory, machine.allocate(uint64_t{1} << 60));
  CHECK_ERROR(Code::out_of_memory, machine.allocate(~uint64_t{0}));
  CHECK_ERROR(Code::out_of_memory, require_memory(11, 10));
}

TEST("wiping overwrites") {
  unsigned char secret[100];
  for (unsigned char& byte : secret) byte = 77;
  wipe(secret, 99);
  int sum = 0;
  for (const unsigned char byte : secret) sum += byte;
  CHECK(sum == 77);
}

}  // namespace cryptorch
