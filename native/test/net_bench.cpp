// Frames between two processes over loopback, against what the same machine does without this code: a
// blocking ping-pong, and raw TLS as `openssl s_time` and `s_server` move it.
#include "net_bench.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "../core/net/phase_links.hpp"
#include "net_support.hpp"

namespace cryptorch::test {
namespace {

constexpr size_t kSmall = 64;
constexpr size_t kFrame = 16 << 20;

double now() { return std::chrono::duration<double>(Clock::now().time_since_epoch()).count(); }

struct Sockets {
  Sockets() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof(address);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), bytes) || listen(listener, 1)) std::abort();
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes);
    one = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(one, reinterpret_cast<sockaddr*>(&address), bytes)) std::abort();
    other = accept(listener, nullptr, nullptr);
    const int on = 1;
    for (const int fd : {one, other}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    close(listener);
  }
  ~Sockets() {
    close(one);
    close(other);
  }
  int one, other;
};

// Runs `child` in a process of its own while `parent` runs here.
template <typename Parent, typename Child>
void both(Parent parent, Child child) {
  std::fflush(stdout);
  const pid_t pid = fork();
  if (!pid) {
    try {
      child();
    } catch (const Error& error) {
      std::printf("child: %s\n", error.what());
    }
    std::fflush(stdout);
    _exit(0);
  }
  parent();
  waitpid(pid, nullptr, 0);
}

void transfer(int fd, bool out, void* data, size_t bytes) {
  for (auto* at = static_cast<char*>(data); bytes;) {
    const ssize_t count = out ? write(fd, at, bytes) : read(fd, at, bytes);
    if (count <= 0) std::abort();
    at += count;
    bytes -= static_cast<size_t>(count);
  }
}

// Seconds of each of `rounds` rounds of `round`.
template <typename Round>
Samples timed(size_t rounds, Round round) {
  Samples samples;
  samples.reserve(rounds);
  for (size_t i = 0; i < rounds; ++i) {
    const double start = now();
    round();
    samples.push_back(now() - start);
  }
  return samples;
}

Samples blocking_rounds(size_t rounds) {
  Sockets sockets;
  Samples samples;
  char data[kSmall + kHeaderBytes] = {};
  both(
      [&] {
        samples = timed(rounds, [&] {
          transfer(sockets.one, true, data, sizeof(data));
          transfer(sockets.one, false, data, sizeof(data));
        });
      },
      [&] {
        for (size_t i = 0; i < rounds; ++i) {
          transfer(sockets.other, false, data, sizeof(data));
          transfer(sockets.other, true, data, sizeof(data));
        }
      });
  return samples;
}

SSL* raw_tls(int fd, bool server, const TlsConfig& config) {
  SSL_CTX* context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
  BIO* certificate = BIO_new_mem_buf(config.certificate.data(), -1);
  BIO* key = BIO_new_mem_buf(config.key.data(), -1);
  SSL_CTX_use_certificate(context, PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr));
  SSL_CTX_use_PrivateKey(context, PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr));
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  if ((server ? SSL_accept(ssl) : SSL_connect(ssl)) != 1) std::abort();
  return ssl;
}

Samples raw_rounds(const Certificates& certificates, size_t rounds) {
  Sockets sockets;
  Samples samples;
  const TlsConfig config = certificates.issue("urn:none");
  char data[kSmall + kHeaderBytes] = {};
  const auto move = [&](SSL* ssl, bool out) {
    const int count = out ? SSL_write(ssl, data, sizeof(data)) : SSL_read(ssl, data, sizeof(data));
    if (count != static_cast<int>(sizeof(data))) std::abort();
  };
  both(
      [&] {
        SSL* ssl = raw_tls(sockets.one, false, config);
        samples = timed(rounds, [&] {
          move(ssl, true);
          move(ssl, false);
        });
      },
      [&] {
        SSL* ssl = raw_tls(sockets.other, true, config);
        for (size_t i = 0; i < rounds; ++i) {
          move(ssl, false);
          move(ssl, true);
        }
      });
  return samples;
}

}  // namespace

double raw_throughput(const Certificates& certificates, uint64_t total) {
  Sockets sockets;
  const TlsConfig config = certificates.issue("urn:none");
  std::vector<char> data(16384);
  double seconds = 0;
  both(
      [&] {
        SSL* ssl = raw_tls(sockets.one, false, config);
        uint64_t got = 0;
        char one = 1;
        const double start = now();
        SSL_write(ssl, &one, 1);
        while (got < total) {
          const int count = SSL_read(ssl, data.data(), static_cast<int>(data.size()));
          if (count <= 0) std::abort();
          got += static_cast<uint64_t>(count);
        }
        seconds = now() - start;
      },
      [&] {
        SSL* ssl = raw_tls(sockets.other, true, config);
        char one;
        SSL_read(ssl, &one, 1);
        for (uint64_t sent = 0; sent < total; sent += data.size()) {
          if (SSL_write(ssl, data.data(), static_cast<int>(data.size())) <= 0) std::abort();
        }
      });
  return static_cast<double>(total) / seconds / 1e9;
}

namespace {

// Two processes with an endpoint each; `port` goes through a pipe.
template <typename One, typename Other>
void linked(const Certificates* certificates, One one, Other other) {
  const EndpointConfig configs[2] = {endpoint_config(0, 2, certificates),
                                     endpoint_config(1, 2, certificates)};
  int ends[2];
  if (pipe(ends)) std::abort();
  const auto quiet = [](EndpointEvent) {};
  both(
      [&] {
        Endpoint endpoint(configs[0], quiet);
        const uint16_t port = endpoint.listen("127.0.0.1", 0);
        transfer(ends[1], true, const_cast<uint16_t*>(&port), 2);
        while (!endpoint.connection(1)) usleep(1000);
        Waiter waiter;
        PhaseLinks links(endpoint, {1}, waiter, kNoDeadline);
        one(*links.links()[1]);
        endpoint.close(nullptr);
        endpoint.join();
      },
      [&] {
        Endpoint endpoint(configs[1], quiet);
        uint16_t port = 0;
        transfer(ends[0], false, &port, 2);
        endpoint.connect(0, "127.0.0.1", port, std::chrono::seconds(5), [](const Error* error) {
          if (error) std::printf("%s\n", error->what());
        });
        while (!endpoint.connection(0)) usleep(1000);
        Waiter waiter;
        PhaseLinks links(endpoint, {0}, waiter, kNoDeadline);
        other(*links.links()[0]);
        endpoint.close(nullptr);
        endpoint.join();
      });
  close(ends[0]);
  close(ends[1]);
}

void send(Link& link, std::span<const std::byte> data) {
  link.send(encode_header({data.size(), 0, 1, 1, 0}), data);
}

void receive(Link& link, std::span<std::byte> data) {
  if (decode_header(link.receive_header(kNoDeadline)).bytes != data.size()) std::abort();
  link.receive_payload(data, kNoDeadline);
}

Samples frame_rounds(const Certificates* certificates, size_t rounds) {
  std::vector<std::byte> data(kSmall);
  Samples samples;
  linked(
      certificates,
      [&](Link& link) {
        samples = timed(rounds, [&] {
          send(link, data);
          receive(link, data);
        });
      },
      [&](Link& link) {
        for (size_t i = 0; i < rounds; ++i) {
          receive(link, data);
          send(link, data);
        }
      });
  return samples;
}

Samples rounds_of(const std::string& kind, size_t rounds) {
  if (kind == "blocking sockets") return blocking_rounds(rounds);
  if (kind == "frames, plain TCP") return frame_rounds(nullptr, rounds);
  const Certificates certificates;
  if (kind == "blocking TLS") return raw_rounds(certificates, rounds);
  if (kind == "frames, TLS") return frame_rounds(&certificates, rounds);
  return {};
}

void share_a_core() {
#ifdef __linux__
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof(one), &one);
#endif
}

}  // namespace

Samples rounds_in_processes(const std::string& kind, size_t rounds, bool shared_core) {
  int ends[2];
  if (pipe(ends)) std::abort();
  Samples samples;
  both(
      [&] {
        close(ends[1]);
        samples.resize(rounds);
        size_t got = 0;
        for (ssize_t count = 1; count > 0 && got < rounds * sizeof(double);) {
          count = read(ends[0], reinterpret_cast<char*>(samples.data()) + got, rounds * sizeof(double) - got);
          if (count > 0) got += static_cast<size_t>(count);
        }
        samples.resize(got / sizeof(double));
        close(ends[0]);
      },
      [&] {
        if (shared_core) share_a_core();
        Samples measured = rounds_of(kind, rounds);
        transfer(ends[1], true, measured.data(), measured.size() * sizeof(double));
      });
  if (samples.size() != rounds) throw Error(Code::internal, "no rounds of '" + kind + "'");
  return samples;
}

double frame_throughput(const Certificates* certificates, uint64_t total, bool duplex) {
  double seconds = 0;
  std::vector<std::byte> out(kFrame), in(kFrame);
  const auto go = [&](Link& link, bool sends, bool receives) {
    for (uint64_t done = 0; done < total; done += kFrame) {
      if (sends) send(link, out);
      if (receives) receive(link, in);
    }
  };
  linked(
      certificates,
      [&](Link& link) {
        send(link, std::span(out).first(1));
        const double start = now();
        go(link, duplex, true);
        seconds = now() - start;
        send(link, std::span(out).first(1));
      },
      [&](Link& link) {
        receive(link, std::span(in).first(1));
        go(link, true, duplex);
        receive(link, std::span(in).first(1));
      });
  return static_cast<double>(total) / seconds / 1e9;
}

}  // namespace cryptorch::test
