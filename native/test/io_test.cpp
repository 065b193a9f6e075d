// Fixed point at the edge: rounding half to even, exact integers, ranges, and errors that name the position
// only.
#include "../core/io.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "harness.hpp"

namespace cryptorch {
namespace {

template <typename T>
std::vector<uint64_t> encode(Element type, const std::vector<T>& values, int32_t scale, uint32_t bits) {
  Pool pool(1);
  std::vector<uint64_t> out(values.size());
  encode_input({false, false, Phase::online, values.size(), scale, bits}, 3,
               {type, values.data(), values.size()}, out.data(), pool);
  return out;
}

std::string why(const std::vector<double>& values, int64_t* index) {
  try {
    encode(Element::f64, values, 16, 40);
  } catch (const Error& error) {
    std::string reason;
    for (const Detail& detail : error.details) {
      if (detail.key == "index") *index = std::get<int64_t>(detail.value);
      if (detail.key == "reason") reason = std::get<std::string>(detail.value);
    }
    return error.code == Code::value_range ? reason : "";
  }
  return "";
}

uint64_t word(int64_t value) { return static_cast<uint64_t>(value); }

}  // namespace

TEST("numbers are rounded half to even") {
  CHECK(encode<double>(Element::f64, {0.5, 1.5, 2.5, -0.5, -1.5, 0.75, -0.0}, 0, 40) ==
        std::vector<uint64_t>{0, 2, 2, 0, word(-2), 1, 0});
  CHECK(encode<float>(Element::f32, {1.0f / 3, -2}, 16, 40) == std::vector<uint64_t>{21845, word(-131072)});
  CHECK(encode<double>(Element::f64, {3, 5, -5}, -1, 40) == std::vector<uint64_t>{2, 2, word(-2)});
}

TEST("integers stay exact") {
  const int64_t big = (int64_t{1} << 62) - 1;
  CHECK(encode<int64_t>(Element::i64, {big, -big, 0}, 0, 62) ==
        std::vector<uint64_t>{word(big), word(-big), 0});
  CHECK(encode<int32_t>(Element::i32, {7, -7}, 16, 40) == std::vector<uint64_t>{7 << 16, word(-(7 << 16))});
  CHECK(encode<int64_t>(Element::i64, {3, 5, -5, 6}, -1, 40) == std::vector<uint64_t>{2, 2, word(-2), 3});
  CHECK_ERROR(Code::value_range, encode<int64_t>(Element::i64, {std::numeric_limits<int64_t>::min()}, 0, 63));
  CHECK_ERROR(Code::value_range, encode<int64_t>(Element::i64, {1}, 70, 63));
  CHECK_ERROR(Code::value_range, encode<int64_t>(Element::i64, {int64_t{1} << 47}, 16, 63));
  CHECK(encode<int64_t>(Element::i64, {0, 5}, -100, 63) == std::vector<uint64_t>{0, 0});
}

TEST("what does not fit is named by position and reason") {
  int64_t index = -1;
  const double edge = std::ldexp(1, 24);  // 2^40 at scale 16
  CHECK(why({0, edge}, &index) == "range" && index == 1);
  CHECK(why({0, 1, -edge}, &index) == "range" && index == 2);
  CHECK(why({edge - 1, 1 - edge}, &index).empty());
  CHECK(why({NAN, 1, INFINITY}, &index) == "nan" && index == 0);
  CHECK(why({0, -INFINITY}, &index) == "infinite" && index == 1);
  CHECK(why({1e308}, &index) == "range" && index == 0);
  std::vector<double> many(100000, 1);
  many[77777] = many[99999] = NAN;
  CHECK(why(many, &index) == "nan" && index == 77777);
}

TEST("an input of another length, or none, is refused") {
  Pool pool(0);
  uint64_t out[4];
  const double x[4] = {};
  const Io io{false, false, Phase::online, 4, 16, 40};
  CHECK_ERROR(Code::invalid_input, (encode_input(io, 0, {Element::f64, x, 3}, out, pool), 0));
  CHECK_ERROR(Code::invalid_input, (encode_input(io, 0, {}, out, pool), 0));
  CHECK_ERROR(Code::invalid_input, (decode_output(io, 0, out, {false, nullptr, 4}, pool), 0));
}

TEST("outputs are signed at their own width") {
  Pool pool(0);
  const uint64_t ring[3] = {0xABCD000000018000, 0xFFFFFF, 0x800000};  // bits above the 24th are not theirs
  double real[3];
  int64_t integer[3];
  const Io io{true, true, Phase::online, 3, 16, 24};
  decode_output(io, 0, ring, {false, real, 3}, pool);
  decode_output(io, 0, ring, {true, integer, 3}, pool);
  CHECK(real[0] == 1.5 && real[1] == -1.0 / 65536 && real[2] == -128);
  CHECK(integer[0] == 0x18000 && integer[1] == -1 && integer[2] == -0x800000);
}

}  // namespace cryptorch
