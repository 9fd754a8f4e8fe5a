// What a trainer's command is made of, and in what two of them differ.
#pragma once

#include <string>
#include <vector>

#include "protocol/messages.h"

namespace windrow::protocol {

// `files`: an object, name to the hash of the content.
Program make_program(std::vector<std::string> command, Json files);

// For people: "train.py differs, model.py is new"; "" where nothing does.
std::string difference(const Program& before, const Program& now);

}  // namespace windrow::protocol
