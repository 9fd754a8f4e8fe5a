#include "sweeps/cluster_profile.h"

#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "sweeps/faults.h"
#include "sweeps/node_reader.h"

namespace windrow::sweeps {

namespace {

// The keys of a cluster, and where their values go.
using Target = std::variant<std::string ClusterProfile::*, int ClusterProfile::*,
                            std::vector<std::string> ClusterProfile::*>;
const std::pair<const char*, Target> kKeys[] = {
    {"hosts", &ClusterProfile::hosts},
    {"partition", &ClusterProfile::partition},
    {"account", &ClusterProfile::account},
    {"qos", &ClusterProfile::qos},
    {"constraint", &ClusterProfile::constraint},
    {"nodes", &ClusterProfile::nodes},
    {"gpus_per_node", &ClusterProfile::gpus_per_node},
    {"gres", &ClusterProfile::gres},
    {"cpus_per_task", &ClusterProfile::cpus_per_task},
    {"time", &ClusterProfile::time},
    {"launcher", &ClusterProfile::launcher},
    {"mpi", &ClusterProfile::mpi},
    {"container", &ClusterProfile::container},
    {"modules", &ClusterProfile::modules},
    {"prologue", &ClusterProfile::prologue},
};

std::vector<std::string> texts(const YamlEntry& entry, Faults& faults) {
  std::vector<std::string> all;
  if (entry.value.kind != YamlNode::Kind::sequence) {
    faults.add(
        entry.value.place, entry.key.text,
        describe(entry.value) + " is no list; give one, for example [" + entry.key.text + "-1]");
    return all;
  }
  for (const YamlNode& item : entry.value.items)
    if (const auto text = read_text(item, entry.key.text, faults)) all.push_back(*text);
  return all;
}

void read_key(const YamlEntry& entry, ClusterProfile& profile, Faults& faults) {
  const std::string& key = entry.key.text;
  const auto found = std::ranges::find(kKeys, key, [](const auto& known) { return known.first; });
  if (found == std::end(kKeys)) {
    std::string known;
    for (const auto& [name, target] : kKeys)
      known += (known.empty() ? "" : ", ") + std::string(name);
    faults.add(entry.key.place, key, "is no key of a cluster; it has " + known);
  } else if (const auto* text = std::get_if<std::string ClusterProfile::*>(&found->second)) {
    if (const auto value = read_text(entry.value, key, faults)) profile.*(*text) = *value;
  } else if (const auto* count = std::get_if<int ClusterProfile::*>(&found->second)) {
    if (const auto value = read_integer(entry.value, key, 1, 1'000'000, faults))
      profile.*(*count) = static_cast<int>(*value);
  } else {
    profile.*std::get<std::vector<std::string> ClusterProfile::*>(found->second) =
        texts(entry, faults);
  }
}

}  // namespace

std::vector<ClusterProfile> parse_clusters(const std::string& text, const std::string& name) {
  Faults faults(name);
  std::vector<ClusterProfile> profiles;
  try {
    const YamlNode root = parse_yaml(text);
    constexpr const char* kExample = "for example {alps: {partition: gpu}}";
    for_each_entry(root, "", "one key, clusters", faults, [&](const YamlEntry& top) {
      if (top.key.text != "clusters") {
        faults.add(top.key.place, top.key.text, "is unknown; the file has one key, clusters");
        return;
      }
      for_each_entry(top.value, "clusters", kExample, faults, [&](const YamlEntry& cluster) {
        ClusterProfile& profile = profiles.emplace_back();
        profile.name = cluster.key.text;
        for_each_entry(cluster.value, cluster.key.text, "keys such as partition: gpu", faults,
                       [&](const YamlEntry& entry) { read_key(entry, profile, faults); });
      });
    });
  } catch (const YamlFault& fault) {
    faults.add(fault.place, "", fault.message);
  }
  faults.raise();
  return profiles;
}

const ClusterProfile* choose_cluster(const std::vector<ClusterProfile>& profiles,
                                     const std::string& name, const std::string& host) {
  for (const ClusterProfile& profile : profiles) {
    if (!name.empty() && profile.name == name) return &profile;
    if (name.empty() && std::ranges::any_of(profile.hosts, [&](const std::string& pattern) {
          return ::fnmatch(pattern.c_str(), host.c_str(), 0) == 0;
        }))
      return &profile;
  }
  return nullptr;
}

}  // namespace windrow::sweeps
