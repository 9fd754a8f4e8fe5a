#include "storage/file_system.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace windrow::storage {
namespace {

// FUSE counts as shared: Gluster, sshfs and Weka are behind it, and what it is can't be asked.
constexpr auto kKnown = std::to_array<FileSystem>({
    {0xef53, "ext4", false},          {0x58465342, "XFS", false},   {0x9123683e, "Btrfs", false},
    {0x2fc12fc1, "ZFS", false},       {0xf2f52010, "F2FS", false},  {0x01021994, "tmpfs", false},
    {0x794c7630, "overlayfs", false}, {0x6969, "NFS", true},        {0x0bd00bd0, "Lustre", true},
    {0x47504653, "GPFS", true},       {0x19830326, "BeeGFS", true}, {0x517b, "SMB", true},
    {0xff534d42, "CIFS", true},       {0xfe534d42, "SMB 2", true},  {0x00c36400, "Ceph", true},
    {0x01021997, "9P", true},         {0x5346414f, "AFS", true},    {0x7461636f, "OCFS2", true},
    {0x01161970, "GFS2", true},       {0x73757245, "Coda", true},   {0xaad7aaea, "PanFS", true},
    {0x65735546, "FUSE", true},
});

}  // namespace

const FileSystem* file_system_of(const std::filesystem::path& folder) {
  struct statfs facts {};
  if (statfs(folder.c_str(), &facts) != 0) return nullptr;
  const auto magic = static_cast<unsigned long>(facts.f_type) & 0xffffffffUL;
  const auto found = std::ranges::find(kKnown, magic, &FileSystem::magic);
  return found == kKnown.end() ? nullptr : &*found;
}

}  // namespace windrow::storage
