#include "protocol/wire.h"

#include <optional>

#include "protocol/json_fields.h"

namespace windrow::protocol {
namespace {

// [name, body]: the name first, so that a decoder need not search for it.
template <class Variant>
std::vector<std::uint8_t> encode_message(const Variant& message) {
  return std::visit(
      [](const auto& m) {
        Json pair = Json::array();
        pair.push_back(fields::kName<std::decay_t<decltype(m)>>);
        pair.push_back(fields::write(m));
        return Json::to_cbor(pair);
      },
      message);
}

// Reads as Json::from_cbor() does, which calls itself for each list in a list: only so deep.
class ShallowReader : public nlohmann::detail::json_sax_dom_parser<Json> {
 public:
  explicit ShallowReader(Json& json) : json_sax_dom_parser(json, false) {}
  bool start_object(std::size_t size) {
    return ++depth_ <= kDeepest && json_sax_dom_parser::start_object(size);
  }
  bool start_array(std::size_t size) {
    return ++depth_ <= kDeepest && json_sax_dom_parser::start_array(size);
  }
  bool end_object() {
    --depth_;
    return json_sax_dom_parser::end_object();
  }
  bool end_array() {
    --depth_;
    return json_sax_dom_parser::end_array();
  }

 private:
  static constexpr int kDeepest = 1000;  // deeper than YAML is read, or what trainers say
  int depth_ = 0;
};

// Discarded (no array) where it is none. The library throws at sizes beyond all memory, whatever it
// is told of exceptions.
Json from_cbor(std::span<const std::uint8_t> bytes) {
  try {
    Json json;
    ShallowReader reader(json);
    if (Json::sax_parse(bytes.begin(), bytes.end(), &reader, Json::input_format_t::cbor))
      return json;
  } catch (const Json::exception&) {
  }
  return Json(Json::value_t::discarded);
}

template <class Variant, std::size_t I = 0>
Variant from_body(const std::string& name, const Json& body) {
  if constexpr (I == std::variant_size_v<Variant>) {
    throw ProtocolError("unknown message \"" + name + "\"; do all ranks run the same version?");
  } else {
    using Message = std::variant_alternative_t<I, Variant>;
    if (name != fields::kName<Message>) return from_body<Variant, I + 1>(name, body);
    Message message;
    fields::read(body, message, name);
    return message;
  }
}

template <class Variant>
Variant decode_message(std::span<const std::uint8_t> bytes) {
  const Json pair = from_cbor(bytes);
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string())
    throw ProtocolError("no message of Windrow's; do all ranks run the same version?");
  return from_body<Variant>(pair[0].get<std::string>(), pair[1]);
}

// Another version's Hello may have other fields: what it takes to say so is its version.
std::optional<Hello> hello_of_another_version(std::span<const std::uint8_t> bytes) {
  const Json pair = from_cbor(bytes);
  if (!pair.is_array() || pair.size() != 2 || pair[0] != fields::kName<Hello> ||
      !pair[1].is_object())
    return std::nullopt;
  const auto text = [&](const char* key) {
    const auto found = pair[1].find(key);
    return found != pair[1].end() && found->is_string() ? found->template get<std::string>() : "";
  };
  Hello hello{.version = text("version"), .host = text("host")};
  if (hello.version.empty() || hello.version == WINDROW_VERSION) return std::nullopt;
  return hello;
}

}  // namespace

std::vector<std::uint8_t> encode(const ToAgent& message) {
  return encode_message(message);
}
std::vector<std::uint8_t> encode(const FromAgent& message) {
  return encode_message(message);
}

ToAgent decode_to_agent(std::span<const std::uint8_t> bytes) {
  return decode_message<ToAgent>(bytes);
}
FromAgent decode_from_agent(std::span<const std::uint8_t> bytes) {
  try {
    return decode_message<FromAgent>(bytes);
  } catch (const ProtocolError&) {
    if (auto hello = hello_of_another_version(bytes)) return std::move(*hello);
    throw;
  }
}

}  // namespace windrow::protocol
