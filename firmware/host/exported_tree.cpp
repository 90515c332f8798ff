// SPDX-License-Identifier: GPL-2.0-only
// Search trees that inlines of modules walk and put nodes into. A kernel balances them; here they
// stay as modules build them, which nobody sees but the clock.
#include <cstdint>

namespace {

/// struct rb_node: the two low bits of the first word are a kernel's own.
struct Node {
  std::uint64_t parent;
  Node* right;
  Node* left;
};
struct Root {
  Node* top;
};
constexpr std::uint64_t own_bits = 3;

Node* parent_of(const Node* node) {
  return reinterpret_cast<Node*>(node->parent & ~own_bits);
}
void set_parent(Node* node, Node* parent) {
  if (node != nullptr) node->parent = reinterpret_cast<std::uint64_t>(parent);
}
/// Where the tree points to this node from.
Node*& place_of(Node* node, Root* root) {
  Node* const parent = parent_of(node);
  if (parent == nullptr) return root->top;
  return parent->left == node ? parent->left : parent->right;
}
void put(Node* added, Node* in_place_of, Root* root) {
  place_of(in_place_of, root) = added;
  set_parent(added, parent_of(in_place_of));
}
Node* leftmost(Node* node) {
  while (node != nullptr && node->left != nullptr)
    node = node->left;
  return node;
}
Node* rightmost(Node* node) {
  while (node != nullptr && node->right != nullptr)
    node = node->right;
  return node;
}

}  // namespace

extern "C" {

/// The inline rb_link_node() has put it in already.
void export_rb_insert_color(Node* /*node*/, Root* /*root*/) {}

void export_rb_replace_node(Node* gone, Node* added, Root* root) {
  *added = *gone;
  put(added, gone, root);
  set_parent(added->left, added);
  set_parent(added->right, added);
}

void export_rb_erase(Node* gone, Root* root) {
  if (gone->left == nullptr) return put(gone->right, gone, root);
  if (gone->right == nullptr) return put(gone->left, gone, root);
  Node* const next = leftmost(gone->right);
  put(next->right, next, root);
  export_rb_replace_node(gone, next, root);
}

Node* export_rb_first(const Root* root) {
  return leftmost(root->top);
}
Node* export_rb_last(const Root* root) {
  return rightmost(root->top);
}
Node* export_rb_next(const Node* node) {
  if (node->right != nullptr) return leftmost(node->right);
  Node* parent = parent_of(node);
  for (; parent != nullptr && parent->right == node; parent = parent_of(node))
    node = parent;
  return parent;
}
Node* export_rb_prev(const Node* node) {
  if (node->left != nullptr) return rightmost(node->left);
  Node* parent = parent_of(node);
  for (; parent != nullptr && parent->left == node; parent = parent_of(node))
    node = parent;
  return parent;
}
}
