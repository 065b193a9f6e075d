// Leaves of a comparison c < r between the public c = hat + offset and the dealer's mask r, of which the
// parties share the one-hot digits (digits.cpp). For each digit, from the shares hot[v] of [r's digit = v]:
//   p = hot[c's digit]                      the digits are equal
//   g = XOR of hot[v] for v > c's digit     c's digit is smaller
// which is a tree of multiplexers over c's bits, and no interaction. g and p go to planes of the wires (d >=
// 0), to planes of the top group (d <= -2: plane -2 - d), or nowhere (-1).
//
// The sign of c - r, a number of two's complement, either has a plane of its own: r's shared bit ^ bit `sign`
// of c, which differs from the sign exactly where the digits below say c < r. Or (sign = -2) the last digit,
// of t bits, is compared as a signed one: g = XOR of hot[v] for (c's digit - v) mod 2^t >= 2^(t-1). With b
// bits in all, c < r is then the sign itself for -(2^(b-1)) <= c - r < (1 - 2^(1-t)) 2^(b-1).
//
// Attributes: offset, count, (low, width, g's place, p's place) per digit, sign (-1: no plane, -2: signed).
#include "bits.hpp"
#include "digit_list.hpp"
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr int64_t kSignedTop = -2;

struct Compared {
  Piece smaller, equal, any;  // any: XOR of all entries
};

template <uint32_t width>
Compared compare_wide(const Piece* hot, const Piece* bits);

// The digit against the 2^width entries of `hot`; bits[0] is its lowest bit. Both are pieces of consecutive
// planes.
template <uint32_t width>
CT_INLINE Compared compare(const Piece* hot, const Piece* bits) {
  if constexpr (width == 0) {
    return {Piece{}, *hot, *hot};
  } else {
    constexpr uint32_t half = kPieces << (width - 1);
    Compared low, high;
    if constexpr (width <= 4) {
      low = compare<width - 1>(hot, bits);
      high = compare<width - 1>(hot + half, bits);
    } else {
      low = compare_wide<width - 1>(hot, bits);
      high = compare_wide<width - 1>(hot + half, bits);
    }
    const Piece bit = bits[(width - 1) * kPieces];
    return {choose(bit, high.smaller, low.smaller ^ high.any), choose(bit, high.equal, low.equal),
            low.any ^ high.any};
  }
}

template <uint32_t width>
__attribute__((noinline)) Compared compare_wide(const Piece* hot, const Piece* bits) {
  return compare<width>(hot, bits);
}

// Entries v with 0 < v - c <= 2^(width-1), cyclically: those above c in its own half, and those up to c's
// place in the other.
template <uint32_t width>
CT_INLINE Compared compare_signed(const Piece* hot, const Piece* bits) {
  const Piece bit = bits[(width - 1) * kPieces];
  const Compared low = compare_wide<width - 1>(hot, bits);
  const Compared high = compare_wide<width - 1>(hot + (kPieces << (width - 1)), bits);
  return {low.smaller ^ high.smaller ^ choose(bit, low.any, high.any), choose(bit, high.equal, low.equal),
          low.any ^ high.any};
}

template <uint32_t width, bool is_signed>
void compare_pieces(const Plane* hot, const Plane* bits, Plane* smaller, Plane* equal) {
  for (uint32_t piece = 0; piece < kPieces; ++piece) {
    const Piece *h = (const Piece*)hot + piece, *b = (const Piece*)bits + piece;
    const Compared found = is_signed ? compare_signed<width>(h, b) : compare<width>(h, b);
    ((Piece*)smaller)[piece] = found.smaller;
    ((Piece*)equal)[piece] = found.equal;
  }
}

template <bool is_signed>
void compare_digit(const Plane* hot, const Plane* bits, uint32_t width, Plane* smaller, Plane* equal) {
  switch (width) {
    case 1:
      return compare_pieces<1, is_signed>(hot, bits, smaller, equal);
    case 2:
      return compare_pieces<2, is_signed>(hot, bits, smaller, equal);
    case 3:
      return compare_pieces<3, is_signed>(hot, bits, smaller, equal);
    case 4:
      return compare_pieces<4, is_signed>(hot, bits, smaller, equal);
    case 5:
      return compare_pieces<5, is_signed>(hot, bits, smaller, equal);
    case 6:
      return compare_pieces<6, is_signed>(hot, bits, smaller, equal);
    case 7:
      return compare_pieces<7, is_signed>(hot, bits, smaller, equal);
    case 8:
      return compare_pieces<8, is_signed>(hot, bits, smaller, equal);
    default:
      return compare_pieces<9, is_signed>(hot, bits, smaller, equal);
  }
}

// The places of g and p: inside of wires or tops.
const char* check_place(int64_t place, const Args& args) {
  if (place >= 0) {
    CT_REQUIRE((uint64_t)place < planes_of(args.out[0]), "a wire is out of range");
  } else if (place < -1) {
    CT_REQUIRE(place >= -2 - (int64_t)kMostPlanes && (uint64_t)(-2 - place) < planes_of(args.out[1]),
               "a top is out of range");
  }
  return nullptr;
}

uint64_t elements_of(const Args& args) { return args.in[0].elements; }

const char* check(const Args& args) {
  CT_REQUIRE(args.attrs >= 3 && args.attr[1] >= 0 && args.attr[1] <= (int64_t)kMostDigits,
             "wrong number of digits");
  const uint32_t count = (uint32_t)args.attr[1];
  CT_TRY(check_counts(args, 2, 3, 4 * count + 3));
  uint32_t planes = 0;
  CT_TRY(check_digits(args.attr + 2, count, 4, &planes));
  const int64_t sign = args.attr[args.attrs - 1];
  if (sign != kSignedTop) CT_TRY(check_sign_bit(sign));
  const uint64_t elements = elements_of(args);
  CT_REQUIRE(elements <= kMostElements, "an operand is too large");
  CT_TRY(check_ring(args.in[0], elements));
  CT_REQUIRE(is_zero(args.in[0]) || !elements || (args.in[0].inner == 1 && args.in[0].mid == elements),
             "an operand cannot be broadcast");
  CT_TRY(check_planes(args.in[1], elements, planes + (sign >= 0)));
  for (uint32_t o = 0; o < 2; ++o) CT_TRY(check_planes(args.out[o], elements, planes_of(args.out[o])));
  CT_TRY(check_planes(args.out[2], elements, sign >= 0));
  for (uint32_t d = 0; d < count; ++d) {
    CT_TRY(check_place(args.attr[2 + 4 * d + 2], args));
    CT_TRY(check_place(args.attr[2 + 4 * d + 3], args));
  }
  return nullptr;
}

uint64_t units(const Args& args, uint64_t* grain) {
  *grain = kElementGrain;
  return elements_of(args);
}

size_t scratch_bytes(const Args&) {
  return kRingScratch + kBlock * sizeof(uint64_t) + (64 + kMostDigitValues) * sizeof(Plane);
}

void place(const Args& args, uint64_t block, int64_t at, const Plane& value) {
  if (at >= 0) {
    store_plane(args.out[0], block, (uint32_t)at, value);
  } else if (at < -1) {
    store_plane(args.out[1], block, (uint32_t)(-2 - at), value);
  }
}

void run(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* c = scratch.words(kBlock);
  Plane* bits = scratch.planes(64);
  Plane* hot = scratch.planes(kMostDigitValues);
  const uint64_t elements = elements_of(args), offset = (uint64_t)args.attr[0];
  const uint32_t digits = (uint32_t)args.attr[1];
  const int64_t sign = args.attr[args.attrs - 1];
  const Plane lead = splat(args.lead ? ~uint64_t{0} : 0);
  uint32_t width = sign < 0 ? 0 : (uint32_t)(sign + 1), planes = sign >= 0;
  for (uint32_t d = 0; d < digits; ++d) {
    const int64_t* digit = args.attr + 2 + 4 * d;
    if (digit[0] + digit[1] > (int64_t)width) width = (uint32_t)(digit[0] + digit[1]);
    planes += (1u << digit[1]) - 1;
  }
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t block = first / kBlock;
    const uint64_t* hat = load_ring(args.in[0], elements, first, count, 64, buffer);
    if (count < kBlock) __builtin_memset(c, 0, kBlock * sizeof(uint64_t));
    for (uint32_t i = 0; i < count; ++i) c[i] = hat[i] + offset;
    bit_planes(c, width, bits);
    uint32_t plane = 0;
    for (uint32_t d = 0; d < digits; ++d) {
      const int64_t* digit = args.attr + 2 + 4 * d;
      const uint32_t others = (1u << digit[1]) - 1;
      const Plane* shares = load_planes(args.in[1], block, planes, plane, others, hot + 1);
      plane += others;
      Plane zero = lead;
      for (uint32_t v = 0; v < others; ++v) zero ^= shares[v];
      if (shares != hot + 1) __builtin_memcpy(hot + 1, shares, others * sizeof(Plane));
      hot[0] = zero;
      Plane smaller, equal;
      const Plane* own = bits + digit[0];
      if (sign == kSignedTop && d + 1 == digits) {
        compare_digit<true>(hot, own, (uint32_t)digit[1], &smaller, &equal);
      } else {
        compare_digit<false>(hot, own, (uint32_t)digit[1], &smaller, &equal);
      }
      place(args, block, digit[2], smaller);
      place(args, block, digit[3], equal);
    }
    if (sign >= 0) {
      const Plane* share = load_planes(args.in[1], block, planes, plane, 1, hot);
      store_plane(args.out[2], block, 0, *share ^ (lead & bits[sign]));
    }
  });
}

}  // namespace

CT_KERNEL(leaf, check, units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
