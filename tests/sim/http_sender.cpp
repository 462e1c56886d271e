#include <algorithm>
#include <cstdlib>

#include "tests/sim/senders.h"

namespace weir::sim {
namespace {

constexpr int64_t kRetryUs = 1'000'000;

class HttpSender final : public Sender, public Client {
 public:
  HttpSender(Scene scene, Random random, Manners manners, std::string address, std::string host, std::string feed, std::deque<size_t> messages)
      : scene_(scene), random_(random), manners_(manners), address_(std::move(address)), host_(std::move(host)), feed_(std::move(feed)),
        queue_(std::move(messages)) {
    Later(random_.Skewed(0, 3'000'000));
  }

  std::string Name() const override { return "http sender " + host_; }
  bool Done() const override { return queue_.empty() && posted_.empty(); }

  void OnOpen() override {
    open_ = true;
    Later(0);
  }

  void OnBytes(std::string_view bytes) override {
    rest_ += bytes;
    const size_t head = rest_.find("\r\n\r\n");
    const size_t length = rest_.find("Content-Length: ");
    if (head == std::string::npos || length > head) {
      return;
    }
    const size_t size = std::strtoul(rest_.c_str() + length + 16, nullptr, 10);
    if (rest_.size() < head + 4 + size) {
      return;
    }
    const int status = std::atoi(rest_.c_str() + 9);
    const bool ends = rest_.substr(0, head).find("Connection: close") != std::string::npos;
    const std::string body = rest_.substr(head + 4, size);
    rest_.erase(0, head + 4 + size);
    OnResponse(status, body);
    if (ends) {
      scene_.network.Close(link_);
      scene_.network.Forget(link_);
      Disconnect();
    }
  }

  void OnClosed() override { Disconnect(); }

 private:
  void Later(int64_t delay_us) {
    const uint64_t turn = ++turn_;
    scene_.world.After(delay_us, [this, turn] {
      if (turn == turn_) {
        Turn();
      }
    });
  }

  void Turn() {
    if (Done() && !asked_) {
      if (link_ != 0) {
        scene_.network.Close(link_);
        scene_.network.Forget(link_);
        Reset();
      }
      return;
    }
    if (link_ == 0) {
      link_ = scene_.network.Connect(address_, host_, *this);
      return Later(manners_.patience_us);
    }
    if (!open_ || asked_) {  // its time is over
      if (random_.Percent(50)) {
        scene_.network.Abort(link_);
      } else {
        scene_.network.Forget(link_);
      }
      return Disconnect();
    }
    Ask();
    Later(manners_.patience_us);
  }

  void Ask() {
    asked_ = true;
    if (random_.Percent(15)) {
      return Send("GET /" + std::string(random_.Percent(50) ? "metrics" : "readyz") + " HTTP/1.1\r\nHost: node\r\n\r\n");
    }
    std::string body;
    for (int64_t left = random_.Skewed(1, 6); left > 0 && !queue_.empty(); --left) {
      posted_.push_back(queue_.front());
      body += scene_.workload.messages[queue_.front()].raw + "\r";
      queue_.pop_front();
    }
    const std::string request = "POST /feeds/" + feed_ + " HTTP/1.1\r\nHost: node\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    if (random_.Percent(manners_.cuts)) {
      Send(request.substr(0, random_.Below(request.size())));
      scene_.network.Close(link_);
      scene_.network.Forget(link_);
      return Disconnect();
    }
    for (const size_t number : posted_) {
      ++scene_.log.sent[number];
    }
    Send(request);
  }

  void Send(const std::string& request) {
    if (!random_.Percent(manners_.pauses)) {
      return scene_.network.Send(link_, request);
    }
    const size_t half = random_.Below(request.size());
    scene_.network.Send(link_, std::string_view(request).substr(0, half));
    scene_.world.After(random_.Skewed(10'000, 30'000'000), [this, link = link_, rest = request.substr(half)] { scene_.network.Send(link, rest); });
  }

  void OnResponse(int status, const std::string& body) {
    asked_ = false;
    if (!posted_.empty() && status == 200) {
      size_t records = 0;
      for (size_t at = 0; (at = body.find("{\"index\":", at)) != std::string::npos; ++at) {
        ++records;
      }
      if (records != posted_.size()) {
        scene_.log.Find(Wrong::kMisanswered, std::to_string(records) + " records of " + std::to_string(posted_.size()) + " that were posted");
      }
      for (const size_t number : posted_) {
        scene_.log.answers.push_back({number, scene_.network.LifeOf(link_)});
        if (random_.Percent(manners_.again)) {
          queue_.push_back(number);
        }
      }
      posted_.clear();
    } else if (status != 200 && status != 503 && status != 429) {
      scene_.log.Find(Wrong::kMisanswered, "HTTP " + std::to_string(status));
    }
    Requeue();
    Later(status == 200 ? random_.Between(0, manners_.think_us) : kRetryUs);
  }

  void Requeue() {
    for (; !posted_.empty(); posted_.pop_back()) {
      queue_.push_front(posted_.back());
    }
  }
  void Disconnect() {
    Requeue();
    Reset();
    Later(random_.Skewed(1'000, kRetryUs));
  }
  void Reset() {
    link_ = 0;
    open_ = asked_ = false;
    rest_.clear();
  }

  Scene scene_;
  Random random_;
  Manners manners_;
  std::string address_, host_, feed_;
  std::deque<size_t> queue_;
  std::vector<size_t> posted_;
  Network::LinkId link_ = 0;
  bool open_ = false, asked_ = false;
  std::string rest_;
  uint64_t turn_ = 0;
};

}  // namespace

std::unique_ptr<Sender> MakeHttpSender(Scene scene, Random random, Manners manners, std::string address, std::string host, std::string feed,
                                       std::deque<size_t> messages) {
  return std::make_unique<HttpSender>(scene, random, manners, std::move(address), std::move(host), std::move(feed), std::move(messages));
}

}  // namespace weir::sim
