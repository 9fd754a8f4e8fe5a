#include "worker/checkpoint/checkpoint_writer.h"

#include <utility>

namespace windrow::worker {

CheckpointWriter::CheckpointWriter(const CheckpointFolder& folder, const Send& send)
    : folder_(folder), send_(send), thread_([this] { run(); }) {}

CheckpointWriter::~CheckpointWriter() {
  {
    const std::lock_guard lock(mutex_);
    leave_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CheckpointWriter::submit(Checkpoint snapshot, protocol::Epoch message) {
  {
    const std::lock_guard lock(mutex_);
    if (error_) std::rethrow_exception(error_);
    waiting_ = std::move(snapshot);
    messages_.push_back(std::move(message));
  }
  changed_.notify_all();
}

void CheckpointWriter::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || (!waiting_ && !writing_); });
  if (error_) std::rethrow_exception(error_);
}

void CheckpointWriter::flush_quietly() noexcept {
  try {
    flush();
  } catch (const std::exception&) {
  }
}

void CheckpointWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return leave_ || waiting_; });
    if (leave_) return;
    const Checkpoint snapshot = std::move(*std::exchange(waiting_, std::nullopt));
    std::vector<protocol::Epoch> messages = std::exchange(messages_, {});
    writing_ = true;
    lock.unlock();
    std::exception_ptr error;
    try {
      const std::string hash = folder_.write(snapshot);
      for (protocol::Epoch& message : messages) {
        message.checkpoint = checkpoint_name(snapshot.epoch);
        message.checkpoint_hash = hash;
        send_(message);
      }
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    writing_ = false;
    error_ = error;
    changed_.notify_all();
    if (error) return;
  }
}

}  // namespace windrow::worker
