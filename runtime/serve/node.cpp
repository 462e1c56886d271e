#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>

#include "runtime/serve/http_session.h"
#include "runtime/serve/intake.h"
#include "runtime/serve/metrics.h"
#include "runtime/serve/mllp_session.h"
#include "runtime/serve/serve.h"
#include "runtime/serve/session.h"
#include "runtime/serve/tls.h"
#include "runtime/serve/watcher.h"

namespace weir::serve {
namespace {

constexpr int64_t kTickUs = 250'000;        // limits of time are looked at this often
constexpr int64_t kVisitUs = 1'000'000, kVisitedTickUs = 2'000;
constexpr int64_t kReopenUs = 1'000'000;    // a full store is opened again this often
constexpr size_t kReadBytes = 256u << 10;   // of one connection before the others have their turn

enum class Protocol : uint8_t { kMllp, kHttp };

// In logs and in the list of clients.
std::string_view Name(Protocol protocol) { return protocol == Protocol::kMllp ? "mllp" : "http"; }

// To a client that is turned away before it said anything.
constexpr std::string_view kTooManyOfPeer =
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

struct Listener {
  io::Handle handle;
  Protocol protocol;
  bool tls;
  std::string address;
};

struct Connection {
  uint64_t id = 0;
  io::Handle handle = io::Handle::kNone;
  std::string peer;
  std::unique_ptr<Session> session{};
  bool is_http = false;
  bool ended = false;           // the peer sends no more
  size_t written = 0;           // of session->out
  bool reads = true, writes = false;  // what is watched
  int64_t read_us = 0, wrote_us = 0, began_us = 0;  // last bytes in, last bytes out, begin of what is incomplete (0: nothing is)
};

class Node {
 public:
  Node(ingest::Engine& engine, const ServeOptions& options, io::Io& io)
      : options_(options), io_(io), buffer_(kReadBytes), credentials_(options.credentials, io, metrics_),
        intake_(engine, options.ingest, options.hub, io, metrics_, [this](const Ticket& ticket, const Settled& settled) { Settle(ticket, settled); }),
        scene_{intake_, metrics_, io, {}} {
    std::array<uint8_t, 4> random{};
    io.Random(random);
    char text[16];
    snprintf(text, sizeof text, "W%02x%02x%02x%02x-", random[0], random[1], random[2], random[3]);
    scene_.control_prefix = text;  // MSH-10 has room for 20
  }

  Result<void> Start() {
    if (auto opened = intake_.Open(); !opened) {
      return opened.error();
    }
    if (auto loaded = credentials_.Load(); !loaded) {
      return loaded.error();
    }
    for (const auto& [addresses, protocol, tls] :
         {std::tuple(&options_.mllp, Protocol::kMllp, false), std::tuple(&options_.http, Protocol::kHttp, false),
          std::tuple(&options_.mllp_tls, Protocol::kMllp, true), std::tuple(&options_.http_tls, Protocol::kHttp, true)}) {
      for (const std::string& address : *addresses) {
        if (auto listening = Listen(address, protocol, tls); !listening) {
          return listening.error();
        }
      }
    }
    for (const std::string& folder : options_.folders) {
      watchers_.push_back(std::make_unique<Watcher>(scene_, folder, watchers_.size(), options_.file_settle_us));
      if (auto started = watchers_.back()->Start(); !started) {
        return started.error();
      }
      options_.log("watching a folder");
    }
    return {};
  }

  Result<void> Run() {
    std::vector<io::Event> events;
    while (!Done()) {
      io_.Wait(WaitMicros(), &events);
      now_us_ = io_.SteadyMicros();
      for (const io::Event& event : events) {
        OnEvent(event);
      }
      if (!intake_.empty() && ((events.empty() && !Reading()) || now_us_ - intake_.since_us() >= options_.linger_us || scene_.draining)) {
        intake_.Commit();
      }
      if (intake_.empty() && intake_.Lend()) {
        lent_us_ = now_us_;
      }
      for (auto& [id, connection] : connections_) {
        connection.session->Continue();
      }
      for (const auto& watcher : watchers_) {
        watcher->Turn();
      }
      WriteAll();
      if (now_us_ - ticked_us_ >= kTickUs) {
        Tick();
      }
      if (io_.StopRequested() && !scene_.draining) {
        Drain();
      }
    }
    for (auto& [id, connection] : connections_) {
      io_.Close(connection.handle);
    }
    return intake_.state() == StoreState::kBroken ? Result<void>(Error{intake_.failure()}) : Result<void>();
  }

 private:
  Result<void> Listen(const std::string& address, Protocol protocol, bool tls) {
    if (tls && credentials_.tls() == nullptr) {
      return Error{"TLS needs a certificate and its key"};
    }
    if (tls && protocol == Protocol::kMllp && !credentials_.tls()->asks_clients()) {
      return Error{"MLLP within TLS needs the authorities of its clients"};  // mutual, or anyone could send
    }
    auto handle = io_.Listen(address);
    if (!handle) {
      return handle.error();
    }
    listeners_.push_back({*handle, protocol, tls, io_.LocalAddress(*handle)});
    options_.log("listening " + std::string(Name(protocol)) + (tls ? "-tls " : " ") + listeners_.back().address);
    return {};
  }

  // A broken store ends the process once its peers are told; a drained node when nobody waits.
  bool Done() {
    if (intake_.state() == StoreState::kBroken && !scene_.draining) {
      options_.log("store failed: " + intake_.failure());
      Drain();
    }
    return scene_.draining && intake_.empty() && (connections_.empty() || now_us_ - drain_us_ >= options_.drain_us);
  }

  bool Reading() const {
    return !scene_.draining && std::ranges::any_of(watchers_, [](const auto& watcher) { return watcher->Busy(); });
  }
  // A visitor of the hub wants more than one turn, as a rule.
  int64_t WaitMicros() const { return !intake_.empty() || Reading() ? 0 : now_us_ - lent_us_ < kVisitUs ? kVisitedTickUs : kTickUs; }

  void OnEvent(const io::Event& event) {
    const auto listener = std::ranges::find(listeners_, event.handle, &Listener::handle);
    if (listener != listeners_.end()) {
      return Accept(*listener);
    }
    const auto found = by_handle_.find(static_cast<int32_t>(event.handle));
    if (found == by_handle_.end()) {
      return;  // closed by an event before this one
    }
    Connection& connection = connections_.at(found->second);
    if (event.readable && connection.reads) {
      Read(connection);
    } else if (event.readable && !connection.writes) {
      Close(connection.id);  // broken while we were not listening to it
    }
  }

  void Accept(const Listener& listener) {
    for (int i = 0; i < 64; ++i) {
      io::Accepted accepted = io_.Accept(listener.handle);
      if (accepted.handle == io::Handle::kNone) {
        return;
      }
      size_t& of_peer = peers_[accepted.peer];
      if (connections_.size() >= options_.connections_max || of_peer >= options_.peer_connections_max) {
        const bool of_one = of_peer >= options_.peer_connections_max;
        ++metrics_.refused[of_one ? "peer_connections" : "connections"];
        if (listener.protocol == Protocol::kHttp && !listener.tls) {
          io_.Write(accepted.handle, of_one ? kTooManyOfPeer : kTooMany);
        }
        io_.Close(accepted.handle);
        continue;
      }
      ++of_peer;
      ++metrics_.accepted;
      const uint64_t id = ++last_id_;
      Connection connection{.id = id, .handle = accepted.handle, .peer = accepted.peer, .read_us = now_us_, .wrote_us = now_us_};
      connection.is_http = listener.protocol == Protocol::kHttp;
      const auto make = [this, id, protocol = listener.protocol, local = listener.address, peer = accepted.peer](const Certificate* certificate) {
        return MakeSession(id, protocol, local, peer, certificate);
      };
      if (listener.tls) {
        // A web client may prove itself by a key instead.
        connection.session = std::make_unique<TlsSession>(credentials_.tls(), /*demands_certificate=*/listener.protocol == Protocol::kMllp, io_.WallMicros(), make);
      } else if (connection.session = make(nullptr); connection.session == nullptr) {
        ++metrics_.refused["not_allowed"];
        io_.Close(accepted.handle);
        if (--of_peer == 0) {
          peers_.erase(accepted.peer);
        }
        continue;
      }
      connection.began_us = connection.session->Incomplete() ? now_us_ : 0;
      by_handle_[static_cast<int32_t>(accepted.handle)] = id;
      connections_.emplace(id, std::move(connection));
      metrics_.connections = connections_.size();
    }
  }

  // Null: the peer is not to be spoken with.
  std::unique_ptr<Session> MakeSession(uint64_t id, Protocol protocol, const std::string& local, const std::string& peer, const Certificate* certificate) {
    Rights rights(credentials_, std::string(Name(protocol)), peer, certificate);
    if (protocol == Protocol::kHttp) {
      // Each request may bring a key, and some paths ask for none.
      return std::make_unique<HttpSession>(scene_, id, peer, std::move(rights), HttpLimits{.body_bytes_max = options_.frame.frame_bytes_max});
    }
    if (!rights.Known()) {
      return nullptr;
    }
    // One source per listener and host, as one sender opens a new connection at will.
    return std::make_unique<MllpSession>(scene_, id, "mllp " + local + " " + peer, std::move(rights), options_.frame);
  }

  void Read(Connection& connection) {
    const io::Transferred got = io_.Read(connection.handle, buffer_);
    if (got.status == io::Transfer::kWouldBlock) {
      return;
    }
    Session& session = *connection.session;
    const size_t held = session.HeldBytes();
    if (got.status == io::Transfer::kClosed) {
      connection.ended = true;
      session.End();
    } else {
      metrics_.bytes_read += got.bytes;
      connection.read_us = now_us_;
      session.Receive({buffer_.data(), got.bytes});
    }
    connection.began_us = !session.Incomplete() ? 0 : connection.began_us == 0 || session.HeldBytes() < held ? now_us_ : connection.began_us;
    if (session.HeldBytes() > held) {
      LimitHeld(connection);
    }
  }

  void LimitHeld(Connection& connection) {
    size_t of_peer = 0, of_all = 0;
    for (const auto& [id, other] : connections_) {
      const size_t held = other.session->HeldBytes();
      of_all += held;
      of_peer += other.peer == connection.peer ? held : 0;
    }
    if (of_peer > options_.peer_held_bytes_max) {
      connection.session->Refuse("peer_held_bytes");
    } else if (of_all > options_.held_bytes_max) {
      connection.session->Refuse("held_bytes");
    }
  }

  void Settle(const Ticket& ticket, const Settled& settled) {
    if (ticket.receiver == Watcher::kReceiver) {
      return watchers_[ticket.entry]->OnSettled(settled);
    }
    if (const auto found = connections_.find(ticket.receiver); found != connections_.end()) {
      found->second.session->OnSettled(ticket.entry, settled);
    }
  }

  void WriteAll() {
    std::vector<uint64_t> done;
    for (auto& [id, connection] : connections_) {
      if (!Write(connection)) {
        done.push_back(id);
      }
    }
    for (const uint64_t id : done) {
      Close(id);
    }
  }

  // False: the connection is over.
  bool Write(Connection& connection) {
    Session& session = *connection.session;
    if (connection.written < session.out.size()) {
      io_.Reach(io::SyncPoint::kPreAnswer);
    }
    while (connection.written < session.out.size()) {
      const io::Transferred sent = io_.Write(connection.handle, std::string_view(session.out).substr(connection.written));
      if (sent.status == io::Transfer::kClosed) {
        return false;
      }
      if (sent.status == io::Transfer::kWouldBlock) {
        break;
      }
      io_.Reach(io::SyncPoint::kPostAnswer);
      metrics_.bytes_written += sent.bytes;
      connection.written += sent.bytes;
      connection.wrote_us = now_us_;
    }
    if (connection.written == session.out.size()) {
      session.out.clear();
      connection.written = 0;
      connection.wrote_us = now_us_;
      if (!session.refused.empty() && !session.Waiting()) {
        ++metrics_.refused[session.refused];
        return false;
      }
      if ((connection.ended || (session.close_after && !session.linger) || scene_.draining) && !session.Waiting()) {
        return false;
      }
    }
    const size_t unread = session.out.size() - connection.written;
    const bool reads = !connection.ended && !scene_.draining && session.refused.empty() && session.WantsInput() &&
                       unread < options_.unread_answer_bytes_max;
    if (reads != connection.reads || (unread > 0) != connection.writes) {
      connection.reads = reads;
      connection.writes = unread > 0;
      io_.Watch(connection.handle, connection.reads, connection.writes);
    }
    return true;
  }

  void Close(uint64_t id) {
    Connection& connection = connections_.at(id);
    by_handle_.erase(static_cast<int32_t>(connection.handle));
    if (--peers_[connection.peer] == 0) {
      peers_.erase(connection.peer);
    }
    io_.Close(connection.handle);
    connections_.erase(id);
    metrics_.connections = connections_.size();
  }

  void Tick() {
    ticked_us_ = now_us_;
    if (intake_.empty()) {
      intake_.CatchUpIndex();
    }
    std::vector<uint64_t> late;
    for (auto& [id, connection] : connections_) {
      if (const char* reason = Overdue(connection)) {
        ++metrics_.refused[reason];
        late.push_back(id);
      }
    }
    for (const uint64_t id : late) {
      Close(id);
    }
    for (const auto& watcher : watchers_) {
      watcher->Look(now_us_);
    }
    if (const bool asked = io_.TakeReloadRequest(); asked || now_us_ - credentials_us_ >= options_.credentials_us) {
      credentials_us_ = now_us_;
      LookAtCredentials(asked);
    }
    if (intake_.state() == StoreState::kFull && !scene_.draining && now_us_ - reopened_us_ >= kReopenUs) {
      reopened_us_ = now_us_;
      if (intake_.Open()) {
        options_.log("store takes records again");
      }
    }
  }

  void LookAtCredentials(bool asked) {
    const auto loaded = credentials_.Load();
    if (!loaded) {
      // Half written files are sound a moment later; one line for one trouble.
      metrics_.refused_reloads += loaded.error().message != credentials_trouble_;
      if (asked || loaded.error().message != credentials_trouble_) {
        options_.log("credentials not taken: " + loaded.error().message);
      }
      credentials_trouble_ = loaded.error().message;
      return;
    }
    credentials_trouble_.clear();
    metrics_.reloads += *loaded ? 1 : 0;
    if (asked || *loaded) {
      options_.log(*loaded ? "credentials taken" : "credentials unchanged");
    }
  }

  const char* Overdue(const Connection& connection) const {
    const Session& session = *connection.session;
    if (connection.written < session.out.size() && now_us_ - connection.wrote_us > options_.stall_us) {
      return "unread_answers";
    }
    if (!connection.reads) {
      return nullptr;
    }
    if (session.Incomplete()) {
      return now_us_ - connection.began_us > options_.frame_us || now_us_ - connection.read_us > options_.stall_us ? "slow" : nullptr;
    }
    const int64_t idle_us = connection.is_http ? options_.http_idle_us : options_.idle_us;
    return idle_us > 0 && !session.Waiting() && now_us_ - connection.read_us > idle_us ? "idle" : nullptr;
  }

  void Drain() {
    scene_.draining = true;
    drain_us_ = now_us_ = io_.SteadyMicros();
    for (const Listener& listener : listeners_) {
      io_.Close(listener.handle);
    }
    listeners_.clear();
    intake_.Commit();
    WriteAll();
  }

  const ServeOptions& options_;
  io::Io& io_;
  std::vector<char> buffer_;
  Metrics metrics_;
  Credentials credentials_;
  Intake intake_;
  Scene scene_;
  std::vector<Listener> listeners_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::unordered_map<uint64_t, Connection> connections_;
  std::unordered_map<int32_t, uint64_t> by_handle_;
  std::unordered_map<std::string, size_t> peers_;
  uint64_t last_id_ = 0;
  int64_t now_us_ = 0, ticked_us_ = 0, reopened_us_ = 0, drain_us_ = 0, lent_us_ = -kVisitUs, credentials_us_ = 0;
  std::string credentials_trouble_;  // of the last look
};

}  // namespace

Result<void> Serve(ingest::Engine& engine, const ServeOptions& options, io::Io& io) {
  Node node(engine, options, io);
  if (auto started = node.Start(); !started) {
    return started.error();
  }
  return node.Run();
}

}  // namespace weir::serve
