// Reads the words of a plan in order; whatever is not a number in its range is an Error(bad_plan) that says
// where.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "error.hpp"

namespace cryptorch {

constexpr uint64_t kMost32 = 0xFFFFFFFF;

class PlanReader {
 public:
  explicit PlanReader(std::span<const int64_t> words) : words_(words), end_(words.size()) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::bad_plan, "malformed plan: " + what + " (word " + std::to_string(position_) + ")",
                {{"word", static_cast<int64_t>(position_)}});
  }

  int64_t word(const char* what) {
    if (position_ >= end_) fail(std::string("ends before ") + what);
    return words_[position_++];
  }

  // A number in 0..most.
  uint64_t number(const char* what, uint64_t most) {
    const int64_t value = word(what);
    if (value < 0 || static_cast<uint64_t>(value) > most) {
      --position_;
      fail(std::string(what) + " out of range");
    }
    return static_cast<uint64_t>(value);
  }

  uint32_t number32(const char* what, uint64_t most = kMost32) {
    return static_cast<uint32_t>(number(what, std::min(most, kMost32)));
  }

  void rewind(size_t position) { position_ = position; }
  size_t position() const { return position_; }
  size_t left() const { return end_ - position_; }
  size_t end() const { return end_; }
  void set_end(size_t end) { end_ = end; }
  std::span<const int64_t> take(size_t count) {
    if (count > left()) fail("step ends early");
    position_ += count;
    return words_.subspan(position_ - count, count);
  }

 private:
  std::span<const int64_t> words_;
  size_t position_ = 0;
  size_t end_;
};

}  // namespace cryptorch
