// The MPI link: point-to-point messages only, no collective after start-up, so that the death of a
// rank leaves the others exchanging (mpirun --enable-recovery, srun --no-kill). Built once for each
// ABI that MPI libraries have, against the C interface alone.
#ifdef WINDROW_MPI_ABI
#include <mpi_abi.h>
#else
#include <mpi.h>
#endif

#include <deque>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>

#include "orchestrator/transport/link.h"

namespace windrow {
namespace {

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw std::runtime_error(std::string("MPI: ") + what +
                           " failed: " + std::string(text, static_cast<std::size_t>(length)));
}

class MpiLink final : public Link {
 public:
  MpiLink() {
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    if (provided < MPI_THREAD_FUNNELED)
      throw std::runtime_error(
          "MPI: the library does not allow threads beside the one that calls it; use one that is "
          "built with MPI_THREAD_FUNNELED");
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
    check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &local_),
          "MPI_Comm_split_type");
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  LocalShare local_share(std::uint64_t value) override {
    int local_rank = 0, local_size = 1;
    check(MPI_Comm_rank(local_, &local_rank), "MPI_Comm_rank");
    check(MPI_Comm_size(local_, &local_size), "MPI_Comm_size");
    std::vector<std::uint64_t> values(static_cast<std::size_t>(local_size));
    check(MPI_Allgather(&value, 1, MPI_UINT64_T, values.data(), 1, MPI_UINT64_T, local_),
          "MPI_Allgather");
    LocalShare share{0, 0};
    for (int i = 0; i < local_size; ++i) {
      if (values[static_cast<std::size_t>(i)] != value) continue;
      if (i < local_rank) ++share.index;
      ++share.count;
    }
    return share;
  }

  void send(int rank, std::vector<std::uint8_t> bytes) override {
    if (bytes.size() > std::numeric_limits<int>::max())
      throw std::runtime_error("MPI: a message of " + std::to_string(bytes.size()) +
                               " bytes is too long");
    auto& queue = sending_[rank];
    Sending& sending = queue.emplace_back(Sending{std::move(bytes), MPI_REQUEST_NULL});
    if (MPI_Isend(sending.bytes.data(), static_cast<int>(sending.bytes.size()), MPI_BYTE, rank,
                  kTag, MPI_COMM_WORLD, &sending.request) != MPI_SUCCESS)
      queue.pop_back();
    collect(queue);
  }

  bool receive(int& rank, std::vector<std::uint8_t>& bytes) override {
    int arrived = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &arrived, &status) != MPI_SUCCESS ||
        !arrived) {
      for (auto& [to, queue] : sending_) collect(queue);
      return false;
    }
    int count = 0;
    check(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
    bytes.resize(static_cast<std::size_t>(count));
    rank = status.MPI_SOURCE;
    return MPI_Recv(bytes.data(), count, MPI_BYTE, rank, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE) ==
           MPI_SUCCESS;
  }

  // The library may still read the buffers: they are never freed.
  void forget(int rank) override {
    const auto found = sending_.find(rank);
    if (found == sending_.end()) return;
    for (Sending& sending : found->second) forgotten_.push_back(std::move(sending.bytes));
    sending_.erase(found);
  }

  void finish() override {
    for (auto& [to, queue] : sending_)
      for (Sending& sending : queue) MPI_Wait(&sending.request, MPI_STATUS_IGNORE);
    sending_.clear();
    MPI_Comm_free(&local_);
    check(MPI_Finalize(), "MPI_Finalize");
  }

 private:
  static constexpr int kTag = 1;
  struct Sending {
    std::vector<std::uint8_t> bytes;
    MPI_Request request;
  };

  // Messages to one rank leave in order: the first that has not left ends the search.
  static void collect(std::deque<Sending>& queue) {
    while (!queue.empty()) {
      int done = 0;
      // An error means the peer is dead: the buffer is not needed any more either.
      if (MPI_Test(&queue.front().request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done)
        return;
      queue.pop_front();
    }
  }

  int rank_ = 0, size_ = 1;
  MPI_Comm local_ = MPI_COMM_NULL;
  std::map<int, std::deque<Sending>> sending_;  // by rank
  std::vector<std::vector<std::uint8_t>> forgotten_;
};

}  // namespace
}  // namespace windrow

extern "C" windrow::Link* windrow_make_link() {
  return new windrow::MpiLink;
}
