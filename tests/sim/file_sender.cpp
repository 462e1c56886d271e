#include "tests/sim/senders.h"

namespace weir::sim {
namespace {

class FileSender final : public Sender {
 public:
  FileSender(Scene scene, Random random, std::string folder, std::deque<size_t> messages)
      : scene_(scene), random_(random), folder_(std::move(folder)), queue_(std::move(messages)) {
    Later(random_.Skewed(0, 3'000'000));
  }

  std::string Name() const override { return "sender of files"; }
  bool Done() const override { return queue_.empty() && files_.empty(); }

 private:
  struct Pending {
    std::string name;
    std::vector<size_t> messages;
  };

  void Later(int64_t delay_us) {
    scene_.world.After(delay_us, [this] { Turn(); });
  }

  void Turn() {
    // What has left the folder is in `done`: its records were committed before.
    if (!scene_.disk.dead()) {
      std::erase_if(files_, [this](const Pending& file) {
        if (scene_.disk.Exists(folder_ + "/" + file.name)) {
          return false;
        }
        for (const size_t number : file.messages) {
          scene_.log.answers.push_back({number, -1});
        }
        return true;
      });
      if (!queue_.empty()) {
        Put();
      }
    }
    if (!Done()) {
      Later(random_.Skewed(100'000, 3'000'000));
    }
  }

  void Put() {
    Pending file{.name = "f" + std::to_string(made_++) + ".hl7", .messages = {}};
    std::string bytes;
    for (int64_t left = random_.Skewed(1, 12); left > 0 && !queue_.empty(); --left) {
      file.messages.push_back(queue_.front());
      bytes += scene_.workload.messages[queue_.front()].raw + "\r";
      queue_.pop_front();
    }
    for (const size_t number : file.messages) {
      scene_.log.sent[number] += kReadingsMax;
    }
    const std::string path = folder_ + "/" + file.name;
    if (random_.Percent(50)) {  // in two steps, quicker than a file must settle
      const std::string half = bytes.substr(0, random_.Below(bytes.size()));
      scene_.disk.Place(path, half);
      scene_.world.After(random_.Between(1'000, 700'000), [this, path, bytes] { Complete(path, bytes); });
    } else {
      scene_.disk.Place(path, bytes);
    }
    files_.push_back(std::move(file));
  }

  void Complete(const std::string& path, const std::string& bytes) {
    if (scene_.disk.dead()) {
      return scene_.world.After(50'000, [this, path, bytes] { Complete(path, bytes); });
    }
    scene_.disk.Place(path, bytes);
  }

  static constexpr uint32_t kReadingsMax = 64;  // a file is read anew after each death

  Scene scene_;
  Random random_;
  std::string folder_;
  std::deque<size_t> queue_;
  std::vector<Pending> files_;
  uint64_t made_ = 0;
};

}  // namespace

std::unique_ptr<Sender> MakeFileSender(Scene scene, Random random, std::string folder, std::deque<size_t> messages) {
  return std::make_unique<FileSender>(scene, random, std::move(folder), std::move(messages));
}

}  // namespace weir::sim
