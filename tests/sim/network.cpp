#include "tests/sim/network.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/check.h"

namespace weir::sim {
namespace {

constexpr int64_t kRefusedUs = 1'000, kNobodyThereUs = 3'000'000;

}  // namespace

Network::LinkPtr Network::Find(LinkId id) const {
  const auto found = links_.find(id);
  return found == links_.end() ? nullptr : found->second;
}

void Network::Up(const LinkPtr& link, std::function<void()> arrival) {
  link->up_us = std::max(link->up_us, world_.now_us() + random_.Skewed(link->delay_us / 4, link->delay_us));
  world_.After(link->up_us - world_.now_us(), [link, arrival = std::move(arrival)] {
    if (!link->swallowed && !link->reset) {
      arrival();
    }
  });
}

void Network::Down(const LinkPtr& link, std::function<void()> arrival) {
  link->down_us = std::max(link->down_us, world_.now_us() + random_.Skewed(link->delay_us / 4, link->delay_us));
  world_.After(link->down_us - world_.now_us(), [link, arrival = std::move(arrival)] {
    if (!link->swallowed) {
      arrival();
    }
  });
}

void Network::EndClient(const LinkPtr& link) {
  if (Client* client = std::exchange(link->client, nullptr)) {
    world_.Note("closed", {static_cast<int64_t>(link->id)});
    links_.erase(link->id);
    client->OnClosed();
  }
}

Network::LinkId Network::Connect(const std::string& address, const std::string& host, Client& client) {
  auto link = std::make_shared<Link>();
  link->id = next_link_++;
  link->client = &client;
  link->host = host;
  link->address = address;
  link->delay_us = random_.Skewed(100, delay_us_max);
  link->segment = random_.Percent(tiny_segments) ? 1 : random_.Percent(30) ? 1 + random_.Below(200) : 1460;
  link->window = static_cast<size_t>(random_.Percent(15) ? random_.Between(64, 1024) : 65536);
  links_[link->id] = link;
  world_.Note("connect", {static_cast<int64_t>(link->id), link->delay_us, static_cast<int64_t>(link->segment)});
  Up(link, [this, link] {
    const auto listener = std::ranges::find_if(listeners_, [&](const auto& one) { return one.second.address == link->address; });
    if (listener == listeners_.end()) {
      world_.After(machine_down_ ? kNobodyThereUs : kRefusedUs, [this, link] { EndClient(link); });
      return;
    }
    listener->second.backlog.push_back(link);
    Down(link, [link] {
      if (link->client != nullptr && !link->reset) {
        link->client->OnOpen();
      }
    });
  });
  return link->id;
}

void Network::Send(LinkId id, std::string_view bytes) {
  const LinkPtr link = Find(id);
  if (link == nullptr || link->client_ended) {
    return;
  }
  while (!bytes.empty()) {
    size_t size = std::min(link->segment, bytes.size());
    if (link->segment > 1 && random_.Percent(20)) {
      size = 1 + random_.Below(size);
    }
    Up(link, [link, piece = std::string(bytes.substr(0, size))] { link->to_node += piece; });
    bytes.remove_prefix(size);
  }
}

void Network::Close(LinkId id) {
  if (const LinkPtr link = Find(id)) {
    link->client_ended = true;
    Up(link, [link] { link->ended = true; });
  }
}

void Network::Abort(LinkId id) {
  if (const LinkPtr link = Find(id)) {
    Forget(id);
    link->client_ended = true;
    Up(link, [link] { link->reset = true; });
  }
}

void Network::Forget(LinkId id) {
  if (const LinkPtr link = Find(id)) {
    link->client = nullptr;
    links_.erase(id);
  }
}

void Network::HoldReading(LinkId id, bool hold) {
  if (const LinkPtr link = Find(id)) {
    link->held = hold;
    if (!hold) {
      DeliverDown(link);
    }
  }
}

void Network::DeliverDown(const LinkPtr& link) {
  if (link->client == nullptr || link->held || link->to_client.empty()) {
    return;
  }
  const std::string bytes = std::exchange(link->to_client, {});
  link->client->OnBytes(bytes);
}

int Network::LifeOf(LinkId id) const {
  const LinkPtr link = Find(id);
  return link == nullptr ? -1 : link->life;
}

Network::LinkPtr Network::AnyOpen() {
  std::vector<LinkPtr> open;
  for (const auto& [handle, link] : by_handle_) {
    if (!link->reset && !link->swallowed) {
      open.push_back(link);
    }
  }
  return open.empty() ? nullptr : random_.Pick(open);
}

void Network::CutOne() {
  if (const LinkPtr link = AnyOpen()) {
    world_.Note("cut", {static_cast<int64_t>(link->id)});
    ++counts["cut connection"];
    world_.After(random_.Skewed(0, 5'000'000), [this, link] { EndClient(link); });
    world_.After(random_.Skewed(0, 5'000'000), [link] { link->reset = true; });
    link->swallowed = true;
  }
}

void Network::SwallowOne() {
  if (const LinkPtr link = AnyOpen()) {
    world_.Note("swallow", {static_cast<int64_t>(link->id)});
    ++counts["silent connection"];
    link->swallowed = true;
  }
}

io::Handle Network::Listen(const std::string& address) {
  machine_down_ = false;
  const io::Handle handle{next_handle_++};
  listeners_[static_cast<int32_t>(handle)].address = address;
  return handle;
}

std::string Network::LocalAddress(io::Handle listener) const { return listeners_.at(static_cast<int32_t>(listener)).address; }

io::Accepted Network::Accept(io::Handle listener) {
  auto& backlog = listeners_.at(static_cast<int32_t>(listener)).backlog;
  while (!backlog.empty()) {
    const LinkPtr link = backlog.front();
    backlog.erase(backlog.begin());
    if (link->reset) {
      continue;
    }
    link->handle = io::Handle{next_handle_++};
    link->life = life_;
    by_handle_[static_cast<int32_t>(link->handle)] = link;
    world_.Note("accept", {static_cast<int64_t>(link->id), static_cast<int32_t>(link->handle)});
    return {link->handle, link->host};
  }
  return {};
}

io::Transferred Network::Read(io::Handle handle, std::span<char> buffer) {
  Link& link = *by_handle_.at(static_cast<int32_t>(handle));
  if (link.reset) {
    return {io::Transfer::kClosed, 0};
  }
  if (link.to_node.empty()) {
    return {link.ended ? io::Transfer::kClosed : io::Transfer::kWouldBlock, 0};
  }
  size_t size = std::min(buffer.size(), link.to_node.size());
  if (random_.Percent(10)) {
    size = 1 + random_.Below(size);
  }
  link.to_node.copy(buffer.data(), size);
  link.to_node.erase(0, size);
  world_.Note("read", {static_cast<int64_t>(link.id), static_cast<int64_t>(size)}, {buffer.data(), size});
  return {io::Transfer::kDone, size};
}

io::Transferred Network::Write(io::Handle handle, std::string_view bytes) {
  const LinkPtr link = by_handle_.at(static_cast<int32_t>(handle));
  if (link->reset) {
    return {io::Transfer::kClosed, 0};
  }
  const size_t used = link->in_flight + link->to_client.size();
  const size_t room = link->window > used ? link->window - used : 0;
  if (room == 0) {
    return {io::Transfer::kWouldBlock, 0};
  }
  bytes = bytes.substr(0, room);
  if (random_.Percent(5)) {
    bytes = bytes.substr(0, 1 + random_.Below(bytes.size()));
  }
  link->in_flight += bytes.size();
  world_.Note("answer", {static_cast<int64_t>(link->id), static_cast<int64_t>(bytes.size())}, bytes);
  Down(link, [this, link, piece = std::string(bytes)] {
    link->in_flight -= piece.size();
    link->to_client += piece;
    DeliverDown(link);
  });
  return {io::Transfer::kDone, bytes.size()};
}

void Network::Watch(io::Handle handle, bool read, bool write) {
  Link& link = *by_handle_.at(static_cast<int32_t>(handle));
  link.reads = read;
  link.writes = write;
}

void Network::Close(io::Handle handle) {
  if (const auto listener = listeners_.find(static_cast<int32_t>(handle)); listener != listeners_.end()) {
    for (const LinkPtr& link : listener->second.backlog) {
      Down(link, [this, link] { EndClient(link); });
    }
    listeners_.erase(listener);
    return;
  }
  const auto found = by_handle_.find(static_cast<int32_t>(handle));
  WEIR_CHECK(found != by_handle_.end());
  const LinkPtr link = found->second;
  by_handle_.erase(found);
  link->node_closed = true;
  // Unread input turns the end into a reset, which may overtake the last answers.
  if (!link->to_node.empty() && random_.Percent(50)) {
    world_.After(random_.Skewed(0, link->delay_us), [this, link] { EndClient(link); });
  } else {
    Down(link, [this, link] { EndClient(link); });
  }
  link->to_node.clear();
}

void Network::Ready(std::vector<io::Event>* events) {
  for (const auto& [handle, listener] : listeners_) {
    if (!listener.backlog.empty()) {
      events->push_back({io::Handle{handle}, true, false});
    }
  }
  for (const auto& [handle, link] : by_handle_) {
    const bool over = link->reset;
    const bool readable = over || (link->reads && (link->ended || !link->to_node.empty()));
    const bool writable = link->writes && (over || link->in_flight + link->to_client.size() < link->window);
    if (readable || writable) {
      events->push_back({io::Handle{handle}, readable, writable});
    }
  }
  random_.Shuffle(events);
}

void Network::NodeDies(bool power_was_cut) {
  machine_down_ = power_was_cut;
  for (auto& [handle, listener] : listeners_) {
    for (const LinkPtr& link : listener.backlog) {
      by_handle_[static_cast<int32_t>(next_handle_++)] = link;
    }
  }
  listeners_.clear();
  for (const auto& [handle, its_link] : by_handle_) {
    const LinkPtr link = its_link;
    link->reset = true;  // for what is on its way to the node
    // After a power cut the peer learns of it only by asking again once the machine is back; a sender's own time-out is shorter, as a rule.
    const int64_t known_us = power_was_cut ? random_.Between(1'000'000, 60'000'000) : random_.Skewed(link->delay_us, 2 * link->delay_us + 1);
    world_.After(known_us, [this, link] { EndClient(link); });
  }
  by_handle_.clear();
}

}  // namespace weir::sim
