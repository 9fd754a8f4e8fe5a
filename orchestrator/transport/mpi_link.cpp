// The MPI link: point-to-point messages only, no collective after start-up, so that the death of a
// rank leaves the others exchanging (mpirun --enable-recovery, srun --no-kill).
#include <mpi.h>

#include <list>
#include <stdexcept>

#include "orchestrator/transport/link.h"

namespace windrow {
namespace {

class MpiLink final : public Link {
 public:
  MpiLink() {
    int provided = 0;
    if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
      throw std::runtime_error("MPI_Init_thread failed");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &local_);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  LocalShare local_share(std::uint64_t value) override {
    int local_rank = 0, local_size = 1;
    MPI_Comm_rank(local_, &local_rank);
    MPI_Comm_size(local_, &local_size);
    std::vector<std::uint64_t> values(static_cast<std::size_t>(local_size));
    MPI_Allgather(&value, 1, MPI_UINT64_T, values.data(), 1, MPI_UINT64_T, local_);
    LocalShare share{0, 0};
    for (int i = 0; i < local_size; ++i) {
      if (values[static_cast<std::size_t>(i)] != value) continue;
      if (i < local_rank) ++share.index;
      ++share.count;
    }
    return share;
  }

  void send(int rank, std::vector<std::uint8_t> bytes) override {
    Pending& pending = pending_.emplace_back(Pending{std::move(bytes), MPI_REQUEST_NULL});
    if (MPI_Isend(pending.bytes.data(), static_cast<int>(pending.bytes.size()), MPI_BYTE, rank,
                  kTag, MPI_COMM_WORLD, &pending.request) != MPI_SUCCESS)
      pending_.pop_back();
    collect();
  }

  bool receive(int& rank, std::vector<std::uint8_t>& bytes) override {
    collect();
    int arrived = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &arrived, &status) != MPI_SUCCESS ||
        !arrived)
      return false;
    int count = 0;
    MPI_Get_count(&status, MPI_BYTE, &count);
    bytes.resize(static_cast<std::size_t>(count));
    rank = status.MPI_SOURCE;
    return MPI_Recv(bytes.data(), count, MPI_BYTE, rank, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE) ==
           MPI_SUCCESS;
  }

  void finish(bool everybody_lives) override {
    if (!everybody_lives) return;
    for (Pending& pending : pending_) MPI_Wait(&pending.request, MPI_STATUS_IGNORE);
    pending_.clear();
    MPI_Finalize();
  }

 private:
  static constexpr int kTag = 1;
  struct Pending {
    std::vector<std::uint8_t> bytes;
    MPI_Request request;
  };

  void collect() {
    for (auto it = pending_.begin(); it != pending_.end();) {
      int done = 0;
      // An error means the peer is dead: the buffer is not needed any more either.
      const bool over = MPI_Test(&it->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done;
      it = over ? pending_.erase(it) : std::next(it);
    }
  }

  int rank_ = 0, size_ = 1;
  MPI_Comm local_ = MPI_COMM_NULL;
  std::list<Pending> pending_;
};

}  // namespace
}  // namespace windrow

extern "C" windrow::Link* windrow_make_link() {
  return new windrow::MpiLink;
}
