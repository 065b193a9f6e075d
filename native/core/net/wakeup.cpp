#include "wakeup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "core/error.hpp"

namespace cryptorch {

Wakeup::Wakeup() {
  int ends[2];
  if (pipe(ends)) throw Error(Code::internal, "the system gives no more file descriptors");
  read_ = ends[0];
  write_ = ends[1];
  for (const int end : ends) {
    fcntl(end, F_SETFL, O_NONBLOCK);
    fcntl(end, F_SETFD, FD_CLOEXEC);
  }
}

Wakeup::~Wakeup() {
  close(read_);
  close(write_);
}

void Wakeup::set() {
  if (set_.exchange(true)) return;
  const char byte = 1;
  while (write(write_, &byte, 1) < 0 && false) {
  }
}

void Wakeup::clear() {
  if (!set_.exchange(false)) return;
  char bytes[16];
  while (read(read_, bytes, sizeof(bytes)) > 0) {
  }
}

}  // namespace cryptorch
