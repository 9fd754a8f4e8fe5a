#include "orchestrator/commands/doctor_ranks.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "orchestrator/agent/batch_job.h"
#include "orchestrator/agent/devices.h"
#include "orchestrator/session/mpi_limit.h"
#include "orchestrator/transport/load_link.h"
#include "protocol/nearest.h"
#include "storage/process.h"

namespace windrow::commands {
namespace {

using nlohmann::json;

constexpr double kStartSeconds = 30;
constexpr std::chrono::seconds kGather{20};

RankFacts own_facts(Link& link, const std::string& library) {
  const DeviceFacts devices = read_device_facts();
  const Link::LocalShare cores = link.local_share(devices.cores_key());
  const Link::LocalShare gpus = link.local_share(devices.gpus_key());
  RankFacts facts{.rank = link.rank(),
                  .host = storage::this_process().host,
                  .node = read_batch_job().node,
                  .version = WINDROW_VERSION,
                  .mpi = library,
                  .cores = devices.cores,
                  .boards = devices.boards,
                  .gpus_are_own = devices.gpus_are_own,
                  .ranks_on_gpus = gpus.count};
  try {
    const auto slots =
        choose_slots(devices, {}, {cores.index, cores.count}, {gpus.index, gpus.count});
    facts.slots = static_cast<int>(slots.size());
    for (const auto& slot : slots)
      if (facts.slots_text.find(slot.device) == std::string::npos)
        facts.slots_text += (facts.slots_text.empty() ? "" : " ") + slot.device;
  } catch (const DeviceError& error) {
    facts.fault = error.what();
  }
  return facts;
}

std::string where(const RankFacts& facts) {
  return facts.host +
         (facts.node.empty() || facts.node == facts.host ? "" : " (" + facts.node + ")");
}

// Ranks of a host that were given one GPU each, and the same one.
void judge_gpus(const std::vector<RankFacts>& ranks, Findings& findings) {
  std::map<std::pair<std::string, std::string>, std::vector<int>> users;
  for (const RankFacts& rank : ranks)
    if (rank.gpus_are_own)
      for (const std::string& board : rank.boards) users[{where(rank), board}].push_back(rank.rank);
  for (const auto& [board, who] : users) {
    if (who.size() < 2) continue;
    std::string text;
    for (const int rank : who) text += (text.empty() ? "" : ", ") + std::to_string(rank);
    findings.push_back(
        {Health::warning, "GPUs",
         "ranks " + text + " on " + board.first + " all have GPU " + board.second + " as their own",
         "one rank a node with --gpus-per-node, or --gpus-per-task=1 with "
         "--gpu-bind=single:1"});
  }
}

}  // namespace

json to_json(const RankFacts& facts) {
  return {{"rank", facts.rank},
          {"host", facts.host},
          {"node", facts.node},
          {"version", facts.version},
          {"mpi", facts.mpi},
          {"cores", facts.cores},
          {"boards", facts.boards},
          {"gpus_are_own", facts.gpus_are_own},
          {"ranks_on_gpus", facts.ranks_on_gpus},
          {"slots", facts.slots},
          {"slots_text", facts.slots_text},
          {"fault", facts.fault}};
}

RankFacts rank_facts_of(int rank, const std::vector<std::uint8_t>& answer) {
  try {
    const json json = json::from_cbor(answer);
    return {json.at("rank"),    json.at("host"),         json.at("node"),
            json.at("version"), json.at("mpi"),          json.at("cores"),
            json.at("boards"),  json.at("gpus_are_own"), json.at("ranks_on_gpus"),
            json.at("slots"),   json.at("slots_text"),   json.at("fault")};
  } catch (const json::exception&) {
    return {.rank = rank,
            .host = "an unknown host",
            .version = "another one",
            .fault = "its answer can't be read: start the same windrow on all ranks"};
  }
}

Findings judge_ranks(const std::vector<RankFacts>& ranks, int expected) {
  Findings findings;
  std::set<std::string> libraries, versions;
  for (const RankFacts& rank : ranks) {
    if (!rank.mpi.empty()) libraries.insert(rank.mpi);
    versions.insert(rank.version);
    std::string text = where(rank) + ": " + std::to_string(rank.cores.size()) + " cores, " +
                       (rank.boards.empty() ? "no GPU" : "GPUs " + joined(rank.boards)) + ", " +
                       std::to_string(rank.slots) + " slots";
    if (rank.slots > 0) text += " (" + rank.slots_text + ")";
    Finding finding{Health::ok, "rank " + std::to_string(rank.rank), text, ""};
    if (!rank.fault.empty()) {
      finding = {Health::fault, finding.check, text, rank.fault};
    } else if (rank.slots == 0) {
      finding.health = Health::warning;
      finding.remedy = std::to_string(rank.ranks_on_gpus) + " ranks share " +
                       std::to_string(rank.boards.size()) +
                       " GPUs of its host: start no more ranks a host than it has GPUs "
                       "(--ntasks-per-node)";
    }
    findings.push_back(finding);
  }
  if (static_cast<int>(ranks.size()) < expected)
    findings.push_back(
        {Health::fault, "ranks",
         std::to_string(ranks.size()) + " of " + std::to_string(expected) + " ranks have answered",
         "is windrow installed, and the same, on all nodes?"});
  judge_gpus(ranks, findings);
  if (libraries.size() > 1)
    findings.push_back({Health::fault, "MPI libraries",
                        "the ranks have different ones: " +
                            joined(std::vector(libraries.begin(), libraries.end())),
                        "load the same module on all nodes"});
  if (versions.size() > 1)
    findings.push_back({Health::fault, "windrow",
                        "the ranks run different versions: " +
                            joined(std::vector(versions.begin(), versions.end())),
                        "start the same program on all ranks"});
  return findings;
}

RankFindings check_ranks() {
  const MpiLimit limit(kStartSeconds, 1,
                       "windrow doctor: FAULT MPI has not started in good time\n");
  std::string fault, library;
  std::unique_ptr<Link> link;
  try {
    LoadedLink loaded = load_mpi_link();
    link = std::move(loaded.link);
    library = loaded.library;
    if (link->size() == 1) fault = lone_rank_fault(library);
  } catch (const std::exception& error) {
    fault = error.what();
  }
  if (!fault.empty())  // on each of them, of which one is to say so
    return {std::atoi(process_environment("SLURM_PROCID").c_str()),
            {{Health::fault, "launcher", fault, ""}}};
  const RankFacts own = own_facts(*link, library);
  RankFindings result{link->rank(), {}};
  if (link->rank() > 0) {
    link->send(0, json::to_cbor(to_json(own)));
  } else {
    std::vector<RankFacts> all = {own};
    const auto end = std::chrono::steady_clock::now() + kGather;
    while (static_cast<int>(all.size()) < link->size() && std::chrono::steady_clock::now() < end) {
      int from = 0;
      std::vector<std::uint8_t> bytes;
      if (link->receive(from, bytes))
        all.push_back(rank_facts_of(from, bytes));
      else
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::ranges::sort(all, {}, &RankFacts::rank);
    result.findings = judge_ranks(all, link->size());
  }
  link->finish();
  return result;
}

}  // namespace windrow::commands
