#include "runtime/serve/mllp.h"
#include "tests/sim/senders.h"

namespace weir::sim {
namespace {

constexpr size_t kPieceBytes = 16u << 10;
constexpr int kConnections = 4, kPiecesMax = 200;
constexpr int64_t kPieceUs = 20'000;

class Flooder final : public Sender, public Client {
 public:
  Flooder(Scene scene, Random random, std::string address, std::string host)
      : scene_(scene), random_(random), address_(std::move(address)), host_(std::move(host)) {
    Connect();
  }

  std::string Name() const override { return "flooder " + host_; }
  bool Done() const override { return left_ == 0; }

  void OnOpen() override {
    scene_.network.Send(link_, std::string(1, serve::kFrameStart) + "MSH|");
    More(link_);
  }
  void OnBytes(std::string_view) override { scene_.log.Find(Wrong::kMisanswered, "an answer to a frame that did not end"); }
  void OnClosed() override {
    link_ = 0;
    if (--left_ > 0) {
      Connect();
    }
  }

 private:
  void Connect() {
    link_ = scene_.network.Connect(address_, host_, *this);
    pieces_ = 0;
  }
  void More(Network::LinkId link) {
    scene_.world.After(random_.Between(1'000, kPieceUs), [this, link] {
      if (link != link_) {
        return;
      }
      if (++pieces_ > kPiecesMax) {  // nobody is there any more
        scene_.network.Abort(link);
        return OnClosed();
      }
      scene_.network.Send(link, std::string(kPieceBytes, 'x'));
      More(link);
    });
  }

  Scene scene_;
  Random random_;
  std::string address_, host_;
  Network::LinkId link_ = 0;
  int left_ = kConnections, pieces_ = 0;
};

}  // namespace

std::unique_ptr<Sender> MakeFlooder(Scene scene, Random random, std::string address, std::string host) {
  return std::make_unique<Flooder>(scene, random, std::move(address), std::move(host));
}

}  // namespace weir::sim
