// Connections that have ended and still have something to say: what was written has to reach the peer, and
// closing a socket that holds unread bytes would make the system throw away what the peer has not read yet.
// So each one is written out, shut down, and read until the peer has closed it too, or its time is over. Used
// on the loop's thread.
#pragma once
#include <list>

#include "connection.hpp"
#include "loop.hpp"

namespace cryptorch {

class Farewells {
 public:
  explicit Farewells(Loop& loop) : loop_(loop) {}

  void add(std::shared_ptr<Connection> connection, Clock::duration time);
  // Nobody gets more time than this from now on.
  void hurry(Clock::duration time);
  void expire(Clock::time_point now);
  bool empty() const { return leaving_.empty(); }

 private:
  struct Leaving {
    std::shared_ptr<Connection> connection;
    std::unique_ptr<Loop::Watch> watch;
    Deadline deadline;
    bool finished = false;
  };

  void see_off(std::list<Leaving>::iterator position);

  Loop& loop_;
  std::list<Leaving> leaving_;
};

}  // namespace cryptorch
