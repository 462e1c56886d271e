#include <algorithm>

#include "runtime/serve/mllp.h"
#include "tests/sim/senders.h"

namespace weir::sim {
namespace {

constexpr std::string_view kEnd = "\x1C\r";
constexpr int64_t kRetryUs = 500'000;

std::string Frame(std::string_view content) { return serve::kFrameStart + std::string(content) + std::string(kEnd); }

// MSA-1 and MSA-2; empty when it is no answer.
std::pair<std::string, std::string> ReadAnswer(std::string_view content) {
  const size_t msa = content.find("\rMSA");
  if (msa == std::string_view::npos || content.size() < msa + 7) {
    return {};
  }
  const char separator = content[3];
  std::string_view rest = content.substr(msa + 5, content.find('\r', msa + 5) - msa - 5);
  const size_t first = std::min(rest.find(separator), rest.size());
  const std::string_view identifier = rest.substr(std::min(first + 1, rest.size()));
  return {std::string(rest.substr(0, first)), std::string(identifier.substr(0, identifier.find(separator)))};
}

class MllpSender final : public Sender, public Client {
 public:
  MllpSender(Scene scene, Random random, Manners manners, std::string address, std::string host, std::deque<size_t> messages)
      : scene_(scene), random_(random), manners_(manners), address_(std::move(address)), host_(std::move(host)), queue_(std::move(messages)) {
    Later(random_.Skewed(0, 3'000'000));
  }

  std::string Name() const override { return "mllp sender " + host_; }
  bool Done() const override {
    return queue_.empty() && std::ranges::all_of(waiting_, [this](const Waiting& one) { return IsSilent(one); });
  }

  void OnOpen() override {
    open_ = true;
    Later(0);
  }

  void OnBytes(std::string_view bytes) override {
    rest_ += bytes;
    for (size_t end; (end = rest_.find(kEnd)) != std::string::npos;) {
      const std::string frame = rest_.substr(0, end);
      rest_.erase(0, end + kEnd.size());
      OnAnswer(std::string_view(frame).substr(std::min<size_t>(1, frame.size())));
    }
    Later(random_.Between(0, manners_.think_us));
  }

  void OnClosed() override {
    link_ = 0;
    Disconnect();
  }

 private:
  struct Waiting {
    size_t message;
    size_t answers = 0;
    int64_t since_us = 0;
  };
  // Nobody answers it, as long as it is stored.
  bool IsSilent(const Waiting& one) const { return scene_.workload.messages[one.message].answers.empty(); }

  void Later(int64_t delay_us) {
    const uint64_t turn = ++turn_;
    scene_.world.After(delay_us, [this, turn] {
      if (turn == turn_) {
        Turn();
      }
    });
  }

  void Turn() {
    if (Done()) {
      if (link_ != 0) {
        scene_.network.Close(link_);
        scene_.network.Forget(link_);
        Reset();
      }
      return;
    }
    if (link_ == 0) {
      link_ = scene_.network.Connect(address_, host_, *this);
      connected_us_ = scene_.world.now_us();
      return Later(manners_.patience_us);
    }
    const int64_t now_us = scene_.world.now_us();
    if ((!open_ && now_us - connected_us_ >= manners_.patience_us) ||
        (!waiting_.empty() && now_us - waiting_.front().since_us >= manners_.patience_us)) {
      if (open_ && IsSilent(waiting_.front())) {
        waiting_.pop_front();
        return Later(0);
      }
      return GiveUp();
    }
    if (open_ && !within_frame_ && !queue_.empty() && waiting_.size() < manners_.window) {
      SendOne();
      return Later(waiting_.size() < manners_.window ? random_.Between(0, manners_.think_us) : manners_.patience_us);
    }
    Later(!waiting_.empty() ? waiting_.front().since_us + manners_.patience_us - now_us : manners_.patience_us);
  }

  void SendOne() {
    const size_t number = queue_.front();
    const Message& message = scene_.workload.messages[number];
    const std::string frame = Frame(message.raw);
    if (random_.Percent(manners_.cuts)) {
      scene_.network.Send(link_, std::string_view(frame).substr(0, random_.Below(frame.size() - 1)));
      if (random_.Percent(50)) {
        scene_.network.Close(link_);
        scene_.network.Forget(link_);
      } else {
        scene_.network.Abort(link_);
      }
      return Disconnect();
    }
    if (random_.Percent(manners_.noise)) {
      Junk(random_.Percent(50) ? "noise" : "\r\nOK then\r");
    }
    if (random_.Percent(manners_.interrupts)) {
      const std::string part = message.raw.substr(0, random_.Below(message.raw.size()));  // never the whole of it
      Junk(part, serve::kFrameStart + part);
    }
    queue_.pop_front();
    ++scene_.log.sent[number];
    if (random_.Percent(manners_.pauses)) {
      const size_t half = random_.Below(frame.size());
      scene_.network.Send(link_, std::string_view(frame).substr(0, half));
      within_frame_ = true;
      scene_.world.After(random_.Skewed(10'000, 30'000'000), [this, link = link_, rest = frame.substr(half)] {
        scene_.network.Send(link, rest);
        within_frame_ &= link != link_;
      });
    } else {
      scene_.network.Send(link_, frame);
    }
    if (random_.Percent(manners_.holds)) {
      scene_.network.HoldReading(link_, true);
      scene_.world.After(random_.Skewed(100'000, 30'000'000), [this, link = link_] { scene_.network.HoldReading(link, false); });
    }
    waiting_.push_back({.message = number, .since_us = scene_.world.now_us()});
  }

  void Junk(const std::string& bytes) { Junk(bytes, bytes); }
  void Junk(const std::string& record, const std::string& bytes) {
    scene_.log.junk.push_back(record);
    scene_.network.Send(link_, bytes);
  }

  void OnAnswer(std::string_view content) {
    const auto [code, identifier] = ReadAnswer(content);
    while (!waiting_.empty() && IsSilent(waiting_.front()) &&
           (code != "CE" || identifier != scene_.workload.messages[waiting_.front().message].control_id)) {
      waiting_.pop_front();
    }
    if (waiting_.empty()) {
      return scene_.log.Find(Wrong::kMisanswered, "an answer that nobody waits for: " + code);
    }
    Waiting& first = waiting_.front();
    const Message& message = scene_.workload.messages[first.message];
    if (identifier != message.control_id) {
      const bool another = std::ranges::any_of(waiting_, [&](const Waiting& one) {
        return scene_.workload.messages[one.message].control_id == identifier;
      });
      return scene_.log.Find(another ? Wrong::kReordered : Wrong::kMisanswered, "MSA-2 is " + identifier + " instead of " + message.control_id);
    }
    if (code == "CE") {
      queue_.push_back(first.message);
      waiting_.pop_front();
      return;
    }
    if (code != message.answers[first.answers]) {
      scene_.log.Find(Wrong::kMisanswered, code + " instead of " + message.answers[first.answers] + " for " + message.control_id);
    }
    first.since_us = scene_.world.now_us();
    if (++first.answers < message.answers.size()) {
      return;
    }
    scene_.log.answers.push_back({first.message, scene_.network.LifeOf(link_)});
    if (random_.Percent(manners_.again)) {
      queue_.push_back(first.message);
    }
    waiting_.pop_front();
  }

  // The old connection may still carry what was sent, and be answered to nobody.
  void GiveUp() {
    if (random_.Percent(40)) {
      scene_.network.Abort(link_);
    } else {
      scene_.network.Forget(link_);
    }
    Disconnect();
  }

  void Disconnect() {
    for (; !waiting_.empty(); waiting_.pop_back()) {
      queue_.push_front(waiting_.back().message);
    }
    Reset();
    Later(random_.Skewed(1'000, kRetryUs));
  }

  void Reset() {
    link_ = 0;
    open_ = within_frame_ = false;
    rest_.clear();
  }

  Scene scene_;
  Random random_;
  Manners manners_;
  std::string address_, host_;
  std::deque<size_t> queue_;
  std::deque<Waiting> waiting_;
  Network::LinkId link_ = 0;
  bool open_ = false, within_frame_ = false;
  std::string rest_;
  int64_t connected_us_ = 0;
  uint64_t turn_ = 0;
};

}  // namespace

std::unique_ptr<Sender> MakeMllpSender(Scene scene, Random random, Manners manners, std::string address, std::string host,
                                       std::deque<size_t> messages) {
  return std::make_unique<MllpSender>(scene, random, manners, std::move(address), std::move(host), std::move(messages));
}

}  // namespace weir::sim
