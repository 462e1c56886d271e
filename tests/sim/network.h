// TCP between the node and its peers: bytes of a connection keep their order and nothing else is promised. Connections have delays of
// their own, cut what they carry into any pieces, hold few or many unread bytes, break, or swallow everything without a word.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/io/io.h"
#include "tests/sim/world.h"

namespace weir::sim {

// A peer's end of one connection. May be destroyed when it was told OnClosed, or after Forget.
class Client {
 public:
  virtual ~Client() = default;
  virtual void OnOpen() = 0;
  virtual void OnBytes(std::string_view bytes) = 0;
  virtual void OnClosed() = 0;  // refused, ended or reset; the last call
};

class Network {
 public:
  using LinkId = uint64_t;

  Network(World& world, Random random) : world_(world), random_(random) {}

  int64_t delay_us_max = 20'000;
  uint64_t tiny_segments = 10;  // percent of connections that send byte by byte
  std::map<std::string, uint64_t, std::less<>> counts;

  // --- the peers' side
  LinkId Connect(const std::string& address, const std::string& host, Client& client);
  void Send(LinkId id, std::string_view bytes);
  void Close(LinkId id);   // when what was sent has arrived
  void Abort(LinkId id);   // now; what is on its way may be lost
  void Forget(LinkId id);  // its client is not told any more; the connection stays as it is
  void HoldReading(LinkId id, bool hold);
  int LifeOf(LinkId id) const;  // of the node that accepted it; -1: none has

  // --- weather
  void CutOne();    // both ends are told, some time later
  void SwallowOne();  // nobody is told

  // --- the node's side, as io::Io has it
  io::Handle Listen(const std::string& address);
  std::string LocalAddress(io::Handle listener) const;
  io::Accepted Accept(io::Handle listener);
  io::Transferred Read(io::Handle handle, std::span<char> buffer);
  io::Transferred Write(io::Handle handle, std::string_view bytes);
  void Watch(io::Handle handle, bool read, bool write);
  void Close(io::Handle handle);
  void Ready(std::vector<io::Event>* events);
  void NodeStarts(int life) { life_ = life; }
  void NodeDies(bool power_was_cut);

 private:
  struct Link {
    LinkId id = 0;
    Client* client = nullptr;  // none: forgotten or told that it is over
    std::string host, address;
    io::Handle handle = io::Handle::kNone;
    int life = -1;
    int64_t delay_us = 0, up_us = 0, down_us = 0;  // the last arrivals: order is kept
    size_t segment = 0, window = 0;
    std::string to_node, to_client;  // arrived and not read
    size_t in_flight = 0;            // to the client
    bool ended = false, client_ended = false;  // FIN has arrived; was sent
    bool reset = false, swallowed = false, held = false, node_closed = false;
    bool reads = true, writes = false;
  };
  using LinkPtr = std::shared_ptr<Link>;
  struct Listener {
    std::string address;
    std::vector<LinkPtr> backlog;
    bool reads = true;
  };

  LinkPtr Find(LinkId id) const;
  void Up(const LinkPtr& link, std::function<void()> arrival);
  void Down(const LinkPtr& link, std::function<void()> arrival);
  void EndClient(const LinkPtr& link);
  void DeliverDown(const LinkPtr& link);
  LinkPtr AnyOpen();

  World& world_;
  Random random_;
  int life_ = 0;
  LinkId next_link_ = 1;
  int32_t next_handle_ = 1;
  bool machine_down_ = false;
  std::map<LinkId, LinkPtr> links_;           // with a client or a handle
  std::map<int32_t, LinkPtr> by_handle_;
  std::map<int32_t, Listener> listeners_;
};

}  // namespace weir::sim
