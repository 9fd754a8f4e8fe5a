#include "worker/gang/c10d_gang.h"

#include <cstdlib>
#include <vector>

#include "worker/trainer_error.h"

namespace windrow::worker {
namespace {

template <class Work>
auto as_gang_error(const Work& work) {
  try {
    return work();
  } catch (const TrainerError&) {
    throw;
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    throw TrainerError(protocol::TrainerFailure::gang,
                       "a member of the gang is lost: " + text.substr(0, text.find('\n')));
  }
}

// c10d keeps a record of every collective, with a stack trace each, and changes one map of it
// outside its lock (FlightRecorder::recordWithResetEnabled): members that are threads of one
// process would end it there. Nothing here reads the record; who sets the variable has it.
void keep_no_record() {
  static const bool once = ::setenv("TORCH_FR_BUFFER_SIZE", "0", /*overwrite=*/0) == 0;
  static_cast<void>(once);
}

BackendPtr make_backend(const StorePtr& store, const GangMember& member) {
  return member.device.is_cuda() ? make_nccl(store, member) : make_gloo(store, member);
}

class C10dGang final : public Gang {
 public:
  C10dGang(StorePtr store, const GangMember& member)
      : store_(std::move(store)),
        member_(member),
        backend_(as_gang_error([&] { return make_backend(store_, member); })) {}

  int rank() const override { return member_.rank; }
  int size() const override { return member_.size; }

  void all_to_all(const at::Tensor& out, const at::Tensor& in,
                  const std::vector<std::int64_t>& receives,
                  const std::vector<std::int64_t>& sends) override {
    at::Tensor to = out, from = in;
    std::vector<std::int64_t> received = receives, sent = sends;
    wait([&] { return backend_->alltoall_base(to, from, received, sent); });
  }

  void all_gather(const at::Tensor& out, const at::Tensor& in) override {
    at::Tensor from = in;
    std::vector<at::Tensor> all = out.unbind(0);
    std::vector<std::vector<at::Tensor>> to{all};
    std::vector<at::Tensor> input{from};
    wait([&] { return backend_->allgather(to, input); });
  }

  void sum(const at::Tensor& tensor) override {
    on_device(tensor, [&](std::vector<at::Tensor>& all) { return backend_->allreduce(all); });
  }

  void broadcast(const at::Tensor& tensor) override {
    on_device(tensor, [&](std::vector<at::Tensor>& all) { return backend_->broadcast(all); });
  }

 private:
  template <class Call>
  void wait(const Call& call) {
    as_gang_error([&] { return call()->wait(); });
  }

  // NCCL takes tensors of its device only.
  template <class Call>
  void on_device(const at::Tensor& tensor, const Call& call) {
    std::vector<at::Tensor> all{tensor.to(member_.device)};
    wait([&] { return call(all); });
    if (!all[0].is_same(tensor)) tensor.copy_(all[0]);
  }

  StorePtr store_;
  GangMember member_;
  BackendPtr backend_;
};

}  // namespace

std::unique_ptr<Gang> make_gang(const StorePtr& store, const GangMember& member) {
  if (member.size == 1) return make_solo();
  keep_no_record();
  return std::make_unique<C10dGang>(store, member);
}

}  // namespace windrow::worker
