// SPDX-License-Identifier: GPL-2.0-only
// The of_* functions of the devicetree, and the device_property_* ones over the same nodes. Errors
// are the kernel's: -EINVAL without the property or the node, -ENODATA for one without a value,
// -EOVERFLOW for one that is too short, -EILSEQ for a text without an end.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "host/device.h"
#include "host/open_firmware.h"
#include "host/records.h"
#include "host/resource.h"
#include "lib/string.h"
#include "pkvm/errno.h"

namespace fw = pkvmemu::fw;
namespace host = pkvmemu::host;
using host::DeviceNode;
using pkvm::Errno;
using pkvm::negated;
using pkvmemu::image::ByteView;
using pkvmemu::image::Fdt;

extern "C" {
std::uint64_t export_ioremap(std::uint64_t address, std::size_t size);
}

namespace {

// Of Linux's numbers, those that only these functions use.
constexpr int no_data = -61;
constexpr int overflow = -75;
constexpr int no_end_of_text = -84;

std::string_view text_of(const char* text) {
  return {text, fw::string_length(text)};
}

std::optional<ByteView> value_of(const DeviceNode* node, const char* name) {
  if (node == nullptr || name == nullptr) return std::nullopt;
  return host::device_tree().property(node->node, text_of(name));
}

DeviceNode* object_of(std::optional<Fdt::Node> node) {
  return node ? host::device_node(*node) : nullptr;
}

/// The `index`-th big-endian number of this many bytes.
std::uint64_t number_at(ByteView value, std::size_t index, std::size_t width) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < width; ++i)
    number = number << 8 | std::to_integer<std::uint64_t>(value[index * width + i]);
  return number;
}

/// of_property_read_variable_*_array: between `least` and `most` numbers (0: exactly `least`), and
/// how many there were; 0 when the number was fixed.
template <typename T>
int read_array(const DeviceNode* node, const char* name, T* out, std::size_t least,
               std::size_t most) {
  const auto value = value_of(node, name);
  if (!value) return negated(Errno::einval);
  if (value->empty()) return no_data;
  std::size_t count = value->size() / sizeof(T);
  if (count < least) return overflow;
  count = most == 0 ? least : std::min(count, most);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<T>(number_at(*value, i, sizeof(T)));
  return static_cast<int>(count);
}

/// device_property_read_*_array: without `out` the count.
template <typename T>
int read_device_array(const host::Device* device, const char* name, T* out, std::size_t count) {
  const auto value = value_of(device->of_node, name);
  if (!value) return negated(Errno::einval);
  if (out == nullptr) return static_cast<int>(value->size() / sizeof(T));
  const int status = read_array(device->of_node, name, out, count, 0);
  return status < 0 ? status : 0;
}

/// The `index`-th text of a list.
std::optional<std::string_view> text_at(ByteView value, std::size_t index) {
  std::string_view rest(reinterpret_cast<const char*>(value.data()), value.size());
  for (; !rest.empty() && rest.back() == '\0'; --index) {
    const std::string_view text = fw::take_until(rest, '\0');
    if (index == 0) return text;
  }
  return std::nullopt;
}

struct PhandleArguments {
  DeviceNode* node;
  int count;
  std::uint32_t arguments[16];
};

}  // namespace

extern "C" {

const void* export_of_get_property(const DeviceNode* node, const char* name, int* length) {
  const auto value = value_of(node, name);
  if (!value) return nullptr;
  if (length != nullptr) *length = static_cast<int>(value->size());
  return value->data();
}

bool export_of_property_present(const DeviceNode* node, const char* name) {
  return value_of(node, name).has_value();
}

/// struct property: name, length, value, and what modules do not look at.
void* export_of_find_property(const DeviceNode* node, const char* name, int* length) {
  struct Property {
    const char* name;
    int length;
    const void* value;
    std::uint64_t rest[8];
  };
  const auto value = value_of(node, name);
  if (!value) return nullptr;
  // A kernel has them since it read the devicetree: this fails for no driver.
  auto* property = static_cast<Property*>(host::take_record(sizeof(Property)));
  if (property == nullptr) return nullptr;
  property->name = name;
  property->length = static_cast<int>(value->size());
  property->value = value->data();
  if (length != nullptr) *length = property->length;
  return property;
}

int export_of_read_u8_array(const DeviceNode* node, const char* name, std::uint8_t* out,
                            std::size_t least, std::size_t most) {
  return read_array(node, name, out, least, most);
}
int export_of_read_u16_array(const DeviceNode* node, const char* name, std::uint16_t* out,
                             std::size_t least, std::size_t most) {
  return read_array(node, name, out, least, most);
}
int export_of_read_u32_array(const DeviceNode* node, const char* name, std::uint32_t* out,
                             std::size_t least, std::size_t most) {
  return read_array(node, name, out, least, most);
}
int export_of_read_u64_array(const DeviceNode* node, const char* name, std::uint64_t* out,
                             std::size_t least, std::size_t most) {
  return read_array(node, name, out, least, most);
}

int export_of_read_u64(const DeviceNode* node, const char* name, std::uint64_t* out) {
  const int status = read_array(node, name, out, 1, 0);
  return status < 0 ? status : 0;
}

int export_of_read_u32_index(const DeviceNode* node, const char* name, std::uint32_t index,
                             std::uint32_t* out) {
  const auto value = value_of(node, name);
  if (!value) return negated(Errno::einval);
  if (value->empty()) return no_data;
  if (index >= value->size() / sizeof(*out)) return overflow;
  *out = static_cast<std::uint32_t>(number_at(*value, index, sizeof(*out)));
  return 0;
}

int export_of_read_string(const DeviceNode* node, const char* name, const char** out) {
  const auto value = value_of(node, name);
  if (!value) return negated(Errno::einval);
  if (value->empty()) return no_data;
  const auto text = text_at(*value, 0);
  if (!text) return no_end_of_text;
  *out = text->data();
  return 0;
}

/// Texts from the `skip`-th on into `out`, which may be null; how many there are.
int export_of_read_string_list(const DeviceNode* node, const char* name, const char** out,
                               std::size_t room, int skip) {
  const auto value = value_of(node, name);
  if (!value) return negated(Errno::einval);
  if (value->empty()) return no_data;
  int count = 0;
  for (std::size_t i = 0; const auto text = text_at(*value, i); ++i) {
    if (i < static_cast<std::size_t>(skip)) continue;
    if (out != nullptr && static_cast<std::size_t>(count) == room) break;
    if (out != nullptr) out[count] = text->data();
    ++count;
  }
  return count == 0 ? no_data : count;
}

int export_of_match_string(const DeviceNode* node, const char* name, const char* wanted) {
  const auto value = value_of(node, name);
  if (!value) return negated(Errno::einval);
  for (std::size_t i = 0; const auto text = text_at(*value, i); ++i)
    if (*text == text_of(wanted)) return static_cast<int>(i);
  return no_data;
}

int export_of_count_elements(const DeviceNode* node, const char* name, int size) {
  const auto value = value_of(node, name);
  if (!value || size <= 0) return negated(Errno::einval);
  const auto width = static_cast<std::size_t>(size);
  if (value->size() % width != 0) return negated(Errno::einval);
  return static_cast<int>(value->size() / width);
}

DeviceNode* export_of_find_compatible(DeviceNode* from, const char* /*type*/,
                                      const char* compatible) {
  const auto after = from == nullptr ? std::nullopt : std::optional(from->node);
  return object_of(host::device_tree().find_compatible(text_of(compatible), after));
}

DeviceNode* export_of_find_matching(DeviceNode* from, const host::OfDeviceId* table,
                                    const host::OfDeviceId** match) {
  const Fdt& tree = host::device_tree();
  std::optional<Fdt::Node> node = from == nullptr ? Fdt::root() : tree.next(from->node);
  for (; node; node = tree.next(*node)) {
    const host::OfDeviceId* id = host::match_node(table, *node);
    if (id == nullptr) continue;
    if (match != nullptr) *match = id;
    return host::device_node(*node);
  }
  return nullptr;
}

DeviceNode* export_of_find_path(const char* path, const char** options) {
  if (options != nullptr) *options = nullptr;
  return object_of(host::device_tree().find(text_of(path)));
}

DeviceNode* export_of_find_by_name(DeviceNode* from, const char* name) {
  const Fdt& tree = host::device_tree();
  std::optional<Fdt::Node> node = from == nullptr ? Fdt::root() : tree.next(from->node);
  for (; node; node = tree.next(*node)) {
    std::string_view own = tree.name(*node);
    if (fw::take_until(own, '@') == text_of(name)) return host::device_node(*node);
  }
  return nullptr;
}

DeviceNode* export_of_find_by_phandle(std::uint32_t phandle) {
  return object_of(host::device_tree().find_phandle(phandle));
}

DeviceNode* export_of_next_child(const DeviceNode* parent, DeviceNode* child) {
  if (parent == nullptr) return nullptr;
  const Fdt& tree = host::device_tree();
  return object_of(child == nullptr ? tree.first_child(parent->node)
                                    : tree.next_sibling(child->node));
}

DeviceNode* export_of_next_available_child(const DeviceNode* parent, DeviceNode* child) {
  do
    child = export_of_next_child(parent, child);
  while (child != nullptr && !host::device_tree().is_enabled(child->node));
  return child;
}

DeviceNode* export_of_child_by_name(const DeviceNode* parent, const char* name) {
  if (parent == nullptr) return nullptr;
  return object_of(host::device_tree().child(parent->node, text_of(name)));
}

DeviceNode* export_of_parent(const DeviceNode* node) {
  return node == nullptr ? nullptr : object_of(host::device_tree().parent(node->node));
}

/// Nodes stay for ever.
DeviceNode* export_of_node_get(DeviceNode* node) {
  return node;
}
void export_of_node_put(DeviceNode* /*node*/) {}

bool export_of_is_compatible(const DeviceNode* node, const char* compatible) {
  return node != nullptr && host::device_tree().is_compatible(node->node, text_of(compatible));
}
bool export_of_is_available(const DeviceNode* node) {
  return node != nullptr && host::device_tree().is_enabled(node->node);
}
bool export_of_machine_is_compatible(const char* compatible) {
  return host::device_tree().is_compatible(Fdt::root(), text_of(compatible));
}

const host::OfDeviceId* export_of_match_node(const host::OfDeviceId* table,
                                             const DeviceNode* node) {
  return node == nullptr ? nullptr : host::match_node(table, node->node);
}
const host::OfDeviceId* export_of_match_device(const host::OfDeviceId* table,
                                               const host::Device* device) {
  return device == nullptr ? nullptr : export_of_match_node(table, device->of_node);
}
const void* export_of_match_data(const host::Device* device) {
  if (device == nullptr || device->driver == nullptr) return nullptr;
  const auto* id = export_of_match_device(device->driver->of_match_table, device);
  return id == nullptr ? nullptr : id->data;
}

int export_of_address_to_resource(DeviceNode* node, int index, host::Resource* out) {
  if (node == nullptr || index < 0) return negated(Errno::einval);
  const auto region = host::device_tree().reg(node->node, static_cast<unsigned>(index));
  if (!region || region->size == 0) return negated(Errno::einval);
  *out = host::memory_resource(region->base, region->size, node->full_name);
  return 0;
}

std::uint64_t export_of_iomap(DeviceNode* node, int index) {
  host::Resource resource{};
  if (export_of_address_to_resource(node, index, &resource) != 0) return 0;
  return export_ioremap(resource.start, resource.end - resource.start + 1);
}

/// A list of references: `cells` names the property of each that says how many numbers follow it;
/// with none, `count` do.
int export_of_parse_phandles(const DeviceNode* node, const char* list, const char* cells, int count,
                             int index, PhandleArguments* out) {
  const auto value = value_of(node, list);
  if (!value || index < 0) return negated(value ? Errno::einval : Errno::enoent);
  constexpr std::size_t width = 4;
  const std::size_t total = value->size() / width;
  const Fdt& tree = host::device_tree();
  for (std::size_t at = 0; at < total; --index) {
    const auto target = tree.find_phandle(static_cast<std::uint32_t>(number_at(*value, at, width)));
    if (!target) return negated(Errno::einval);
    auto follow = static_cast<std::size_t>(count);
    if (cells != nullptr) follow = tree.cell(*target, text_of(cells)).value_or(0);
    if (follow > total - at - 1 || follow > 16) return negated(Errno::einval);
    if (index == 0) {
      if (out == nullptr) return 0;
      out->node = host::device_node(*target);
      out->count = static_cast<int>(follow);
      for (std::size_t i = 0; i < follow; ++i)
        out->arguments[i] = static_cast<std::uint32_t>(number_at(*value, at + 1 + i, width));
      return 0;
    }
    at += 1 + follow;
  }
  return negated(Errno::enoent);
}

bool export_device_property_present(const host::Device* device, const char* name) {
  return value_of(device->of_node, name).has_value();
}
int export_device_read_u8_array(const host::Device* device, const char* name, std::uint8_t* out,
                                std::size_t count) {
  return read_device_array(device, name, out, count);
}
int export_device_read_u16_array(const host::Device* device, const char* name, std::uint16_t* out,
                                 std::size_t count) {
  return read_device_array(device, name, out, count);
}
int export_device_read_u32_array(const host::Device* device, const char* name, std::uint32_t* out,
                                 std::size_t count) {
  return read_device_array(device, name, out, count);
}
int export_device_read_u64_array(const host::Device* device, const char* name, std::uint64_t* out,
                                 std::size_t count) {
  return read_device_array(device, name, out, count);
}
int export_device_read_string(const host::Device* device, const char* name, const char** out) {
  return export_of_read_string(device->of_node, name, out);
}
}
