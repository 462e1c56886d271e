#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/io/io.h"

namespace weir::io {
namespace {

namespace fs = std::filesystem;

int Fd(Handle handle) { return static_cast<int>(handle); }

Result<void> SplitAddress(const std::string& address, std::string* host, std::string* port) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) {
    return Error{"`" + address + "` is not HOST:PORT"};
  }
  *host = address.substr(0, colon);
  *port = address.substr(colon + 1);
  if (host->size() >= 2 && host->front() == '[' && host->back() == ']') {
    *host = host->substr(1, host->size() - 2);
  }
  return {};
}

std::string Numeric(const sockaddr_storage& address, socklen_t size, bool with_port) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  return with_port ? std::string(host) + ":" + port : host;
}

class System final : public Io {
 public:
  ~System() override {
    for (const int fd : {epoll_, signal_, spare_}) {
      if (fd >= 0) {
        close(fd);
      }
    }
  }

  Result<void> Start() {
    sigset_t taken;
    sigemptyset(&taken);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
      sigaddset(&taken, number);
    }
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    // Threads made later (a compiling tier) inherit the mask, so the signal always comes here.
    if (epoll_ < 0 || pthread_sigmask(SIG_BLOCK, &taken, nullptr) != 0 ||
        (signal_ = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC)) < 0) {
      return Error{std::string("cannot start the event loop: ") + strerror(errno)};
    }
    signal(SIGPIPE, SIG_IGN);
    spare_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
    Add(signal_, EPOLLIN);
    if (const char* point = getenv("WEIR_CRASH_AT")) {
      crash_at_ = point;
      if (const size_t colon = crash_at_.find(':'); colon != std::string::npos) {
        crash_after_ = std::max(1, atoi(crash_at_.c_str() + colon + 1));
        crash_at_.resize(colon);
      }
    }
    return {};
  }

  int64_t WallMicros() override { return Micros(std::chrono::system_clock::now()); }
  int64_t SteadyMicros() override { return Micros(std::chrono::steady_clock::now()); }
  void Random(std::span<uint8_t> bytes) override {
    WEIR_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  bool StopRequested() override { return stop_; }
  bool TakeReloadRequest() override { return std::exchange(reload_, false); }

  // WEIR_CRASH_AT=post_commit[:n] kills the process when it gets there for the n-th time.
  void Reach(SyncPoint point) override {
    static constexpr const char* kNames[] = {"pre_commit", "post_commit", "pre_answer", "post_answer", "pre_rename", "post_rename"};
    if (!crash_at_.empty() && crash_at_ == kNames[static_cast<size_t>(point)] && --crash_after_ == 0) {
      raise(SIGKILL);
    }
  }

  Result<Handle> Listen(const std::string& address) override {
    std::string host, port;
    if (auto split = SplitAddress(address, &host, &port); !split) {
      return split.error();
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    if (const int code = getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found); code != 0) {
      return Error{"cannot resolve `" + address + "`: " + gai_strerror(code)};
    }
    std::string why = "no address";
    int fd = -1;
    for (const addrinfo* at = found; at != nullptr && fd < 0; at = at->ai_next) {
      fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
      const int on = 1;
      if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
                      bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 512) != 0)) {
        why = strerror(errno);
        close(fd);
        fd = -1;
      }
    }
    freeaddrinfo(found);
    if (fd < 0) {
      return Error{"cannot listen on `" + address + "`: " + why};
    }
    Add(fd, EPOLLIN);
    return Handle{fd};
  }

  std::string LocalAddress(Handle listener) override {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    getsockname(Fd(listener), reinterpret_cast<sockaddr*>(&address), &size);
    return Numeric(address, size, /*with_port=*/true);
  }

  Accepted Accept(Handle listener) override {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(Fd(listener), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE) {
        TurnAway(Fd(listener));
      }
      return {};
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);  // a sender whose machine died is noticed
    Add(fd, EPOLLIN);
    return {Handle{fd}, Numeric(address, size, /*with_port=*/false)};
  }

  Transferred Read(Handle handle, std::span<char> buffer) override {
    return Outcome(Retry([&] { return recv(Fd(handle), buffer.data(), buffer.size(), 0); }), /*zero_is_end=*/true);
  }
  Transferred Write(Handle handle, std::string_view bytes) override {
    return Outcome(Retry([&] { return send(Fd(handle), bytes.data(), bytes.size(), MSG_NOSIGNAL); }), /*zero_is_end=*/false);
  }

  void Watch(Handle handle, bool read, bool write) override {
    epoll_event event{};
    event.events = (read ? uint32_t{EPOLLIN} : 0u) | (write ? uint32_t{EPOLLOUT} : 0u);
    event.data.fd = Fd(handle);
    epoll_ctl(epoll_, EPOLL_CTL_MOD, Fd(handle), &event);
  }
  void Close(Handle handle) override { close(Fd(handle)); }

  void Wait(int64_t timeout_us, std::vector<Event>* events) override {
    events->clear();
    epoll_event ready[256];
    const auto timeout_ms = static_cast<int>(timeout_us <= 0 ? 0 : std::min<int64_t>((timeout_us + 999) / 1000, 60'000));
    const int count = epoll_wait(epoll_, ready, 256, timeout_ms);
    for (int i = 0; i < count; ++i) {
      if (ready[i].data.fd == signal_) {
        signalfd_siginfo info;
        while (read(signal_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
          (info.ssi_signo == SIGHUP ? reload_ : stop_) = true;
        }
        continue;
      }
      const uint32_t what = ready[i].events;
      events->push_back({Handle{ready[i].data.fd}, (what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0, (what & (EPOLLOUT | EPOLLERR)) != 0});
    }
  }

  Result<std::vector<FileInfo>> List(const std::string& folder) override {
    std::vector<FileInfo> files;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      std::error_code gone;  // a file may be taken away while we look
      const std::string name = it->path().filename().string();
      if (name.starts_with('.') || !it->is_regular_file(gone) || gone) {
        continue;
      }
      const uint64_t bytes = it->file_size(gone);
      const auto modified = it->last_write_time(gone);
      if (!gone) {
        files.push_back({name, bytes, Micros(std::chrono::file_clock::to_sys(modified))});
      }
    }
    if (error) {
      return Error{"cannot list `" + folder + "`: " + error.message()};
    }
    std::ranges::sort(files, {}, &FileInfo::name);
    return files;
  }

  Result<size_t> ReadFile(const std::string& path, uint64_t offset, std::span<char> buffer) override {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t size = fd < 0 ? -1 : Retry([&] { return pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset)); });
    const int error = errno;
    if (fd >= 0) {
      close(fd);
    }
    return size >= 0 ? Result<size_t>(static_cast<size_t>(size)) : Result<size_t>(Error{std::string("cannot read a file: ") + strerror(error)});
  }

  Result<void> MakeFolder(const std::string& folder) override {
    std::error_code error;
    fs::create_directories(folder, error);
    return error ? Result<void>(Error{"cannot make `" + folder + "`: " + error.message()}) : Result<void>();
  }
  Result<void> Rename(const std::string& from, const std::string& to) override {
    int result = renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
    if (result != 0 && errno == EINVAL && access(to.c_str(), F_OK) != 0) {
      result = rename(from.c_str(), to.c_str());  // a file system without the flag
    }
    return result == 0 ? Result<void>() : Result<void>(Error{std::string("cannot move a file: ") + strerror(errno)});
  }

 private:
  template <typename Time>
  static int64_t Micros(Time time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  }
  template <typename Call>
  static ssize_t Retry(Call call) {
    ssize_t result;
    do {
      result = call();
    } while (result < 0 && errno == EINTR);
    return result;
  }
  static Transferred Outcome(ssize_t result, bool zero_is_end) {
    if (result > 0 || (result == 0 && !zero_is_end)) {
      return {Transfer::kDone, static_cast<size_t>(result)};
    }
    return {result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Transfer::kWouldBlock : Transfer::kClosed, 0};
  }
  void Add(int fd, uint32_t what) {
    epoll_event event{};
    event.events = what;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  // Out of descriptors: the waiting connection would make the listener ready for ever. One descriptor is kept to take and drop it.
  void TurnAway(int listener) {
    close(spare_);
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      close(fd);
    }
    spare_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }

  int epoll_ = -1, signal_ = -1, spare_ = -1;
  bool stop_ = false, reload_ = false;
  std::string crash_at_;
  int crash_after_ = 1;
};

}  // namespace

Result<std::unique_ptr<Io>> OpenSystem() {
  auto system = std::make_unique<System>();
  if (auto started = system->Start(); !started) {
    return started.error();
  }
  return std::unique_ptr<Io>(std::move(system));
}

}  // namespace weir::io
