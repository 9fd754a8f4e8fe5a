// Applies records to the tables. Internal to storage/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "storage/database.h"
#include "storage/names.h"
#include "storage/records.h"

namespace windrow::storage {

// Used inside a transaction. A repeated message changes nothing: what is already known of an
// attempt stays, and a trial that is finished takes nothing more. A second message of an attempt
// for an epoch adds its metrics; a metric that is there already gets the later value. Prepares its
// statements once; make it after migrate().
class Recorder {
 public:
  Recorder(Database& database, Names& names);

  // `at`: when it happened, `batch_at`: when its transaction began; milliseconds since 1970 UTC.
  void apply(const Record& record, std::int64_t at, std::int64_t batch_at);

  // The transaction was: what it made is not there.
  void rolled_back() {
    session_ = committed_session_;
    source_ = committed_source_;
  }
  void committed() {
    committed_session_ = session_;
    committed_source_ = source_;
  }

 private:
  void on(const AttemptBegan& record);
  void on(const EpochDone& record);
  void on(const AttemptFinished& record);
  void on(const AttemptFailed& record);
  void on(const FailureForgiven& record);
  void on(const TrialFailed& record);
  void on(const Event& record);
  void on(const SlotRecord& record);
  void on(const ProgramRecord& record);
  void on(const SourceRecord& record);
  void on(const EnvironmentRecord& record);
  void on(const RunFacts& record);
  void on(const StopAsked& record);

  std::int64_t session();
  void put_result(std::int64_t trial, const protocol::Finished& finished, bool has_epochs);

  Database& database_;
  Names& names_;
  std::int64_t at_ = 0;
  std::int64_t batch_at_ = 0;
  std::optional<std::int64_t> session_, committed_session_;
  std::optional<std::int64_t> source_, committed_source_;  // of the attempts that begin now

  Statement insert_attempt_, begin_trial_, put_trial_metric_;
  Statement attempt_is_open_, insert_epoch_, replace_epoch_, complete_epoch_, clear_epoch_metrics_,
      put_epoch_metric_, epoch_id_;
  Statement drop_epochs_, drop_epoch_metrics_, epoch_totals_, last_epoch_, copy_metrics_,
      end_attempt_, finish_trial_, put_artefact_;
  Statement insert_failure_, insert_unbegun_attempt_, fail_trial_;
  Statement forgive_, give_up_trial_;
  Statement insert_event_, put_slot_, put_checkpoints_, put_stopped_by_;
};

}  // namespace windrow::storage
