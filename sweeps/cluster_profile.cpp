#include "sweeps/cluster_profile.h"

#include <fnmatch.h>

#include <algorithm>

#include "sweeps/faults.h"
#include "sweeps/node_reader.h"

namespace windrow::sweeps {

namespace {

constexpr const char* kKeys[] = {
    "hosts",      "partition", "account",       "qos", "nodes",   "gpus_per_node", "gres",
    "constraint", "time",      "cpus_per_task", "mpi", "modules", "prologue"};

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
  const auto text = [&](std::string& out) {
    if (const auto value = read_text(entry.value, key, faults)) out = *value;
  };
  const auto count = [&](int& out) {
    if (const auto value = read_integer(entry.value, key, 1, 1'000'000, faults))
      out = static_cast<int>(*value);
  };
  if (key == "hosts") return void(profile.hosts = texts(entry, faults));
  if (key == "modules") return void(profile.modules = texts(entry, faults));
  if (key == "prologue") return void(profile.prologue = texts(entry, faults));
  if (key == "partition") return text(profile.partition);
  if (key == "account") return text(profile.account);
  if (key == "qos") return text(profile.qos);
  if (key == "constraint") return text(profile.constraint);
  if (key == "gres") return text(profile.gres);
  if (key == "time") return text(profile.time);
  if (key == "mpi") return text(profile.mpi);
  if (key == "nodes") return count(profile.nodes);
  if (key == "gpus_per_node") return count(profile.gpus_per_node);
  if (key == "cpus_per_task") return count(profile.cpus_per_task);
  std::string known;
  for (const char* one : kKeys) known += (known.empty() ? "" : ", ") + std::string(one);
  faults.add(entry.key.place, key, "is no key of a cluster; it has " + known);
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
