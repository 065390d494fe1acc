#include "tapegrad/tape/anomaly/anomaly.h"

#include <cmath>
#include <optional>
#include <sstream>

namespace tapegrad::anomaly {

std::atomic<int> watchers{0};

namespace {

thread_local Watch watch;

bool is_bad(double x) { return std::isnan(x) || (watch.infinities && std::isinf(x)); }

// The first bad element, in C order.
std::optional<int64_t> first_bad(const Value& v) {
  if (!is_floating(v.dtype()) || !v.has_data()) return std::nullopt;
  for (int64_t i = 0; i < v.size(); ++i)
    if (is_bad(v.at(i))) return i;
  return std::nullopt;
}

Dims index_of(const Dims& shape, int64_t flat) {
  Dims index(shape.size(), 0);
  for (size_t k = shape.size(); k-- > 0; flat /= shape[k]) index[k] = flat % shape[k];
  return index;
}

// The place in an operand that is broadcast to `shape`; none where it is not.
std::optional<int64_t> place_in(const Dims& operand, const Dims& shape, const Dims& index) {
  if (operand.size() > shape.size()) return std::nullopt;
  int64_t flat = 0;
  const size_t skipped = shape.size() - operand.size();
  for (size_t k = 0; k < operand.size(); ++k) {
    const int64_t n = operand[k];
    if (n != 1 && n != shape[skipped + k]) return std::nullopt;
    flat = flat * n + (n == 1 ? 0 : index[skipped + k]);
  }
  return flat;
}

void print_place(std::ostream& out, const Dims& shape, int64_t flat) {
  if (!shape.empty()) out << " at index " << index_of(shape, flat) << " of shape " << shape;
}

// NaN has a sign that says nothing.
std::string text_of(double x) {
  std::ostringstream out;
  out.precision(17);
  if (std::isnan(x))
    out << "nan";
  else
    out << x;
  return out.str();
}

// What the operands hold: at that index of the result, or where they are bad themselves.
void print_operands(std::ostream& out, const Op& op, std::span<const Value> operands,
                    const Dims& shape, int64_t flat) {
  const char* between = "; its operands: ";
  for (size_t i = 0; i < operands.size(); ++i) {
    const Value& v = operands[i];
    out << between << i << " is ";
    between = ", ";
    if (!v.has_data()) {
      out << "no longer held";
    } else if (v.is_scalar()) {
      out << text_of(v.as_double());
    } else if (const auto at = place_in(v.shape(), shape, index_of(shape, flat));
               at && op.by_element) {
      out << text_of(v.at(*at)) << " there";
    } else if (const auto bad = first_bad(v)) {
      out << text_of(v.at(*bad));
      print_place(out, v.shape(), *bad);
    } else {
      out << "of shape " << v.shape() << ", all good";
    }
  }
}

// A function of the host goes by its own name.
void print_name(std::ostream& out, const Op& op, const Attrs& attrs) {
  for (size_t i = 0; i < attrs.size(); ++i)
    if (const auto* object = std::get_if<AttrRef>(&attrs[i]); object && (**object).calls_host())
      return (**object).print(out);
  out << op.name;
}

std::string line_of(const std::string& where) { return where.empty() ? "" : " at " + where; }

std::vector<Value> operands_of(const Tape& tape, const Node& node) {
  std::vector<Value> found;
  for (uint32_t in : node.inputs()) {
    found.push_back(in == 0 ? Value::zeros(DType::float64, Dims{1}) : tape.node(in).value);
    if (in == 0) found.back().drop_data();  // a plain number that no rule reads
  }
  return found;
}

}  // namespace

Watch watch_of_thread() { return watch; }

void set_watch_of_thread(const Watch& w) { watch = w; }

void check_results(const Tape& tape, const Op& op, const Attrs& attrs, std::span<const Ref> inputs,
                   std::span<const Value> results) {
  if (!watch.on || !watch.values || tape.in_rule()) return;
  for (const Value& y : results) {
    const std::optional<int64_t> at = first_bad(y);
    if (!at) continue;
    std::ostringstream text;
    print_name(text, op, attrs);
    text << line_of(current_location ? current_location() : "") << " gave " << text_of(y.at(*at));
    print_place(text, y.shape(), *at);
    std::vector<Value> operands;
    for (const Ref& r : inputs) operands.push_back(r.value());
    print_operands(text, op, operands, y.shape(), *at);
    throw AnomalyError(text.str());
  }
}

void check_derivative(const Tape& tape, const Node& node, const Value& found,
                      const std::string& kind) {
  if (!watch.on) return;
  const std::optional<int64_t> at = first_bad(found);
  if (!at) return;
  const Node& applied = node.kind == NodeKind::pick ? tape.node(node.in[0]) : node;
  const Op& op = op_by_id(applied.op);
  std::ostringstream text;
  text << "the derivative of ";
  print_name(text, op, applied.extra ? applied.extra->attrs : Attrs());
  text << ", recorded" << line_of(applied.extra ? applied.extra->where() : "") << ", gave "
       << text_of(found.at(*at)) << " as the " << kind;
  print_place(text, found.shape(), *at);
  print_operands(text, op, operands_of(tape, applied), found.shape(), *at);
  throw AnomalyError(text.str());
}

void check_sum(const Tape&, const Node& node, const Value& sum) {
  if (!watch.on) return;
  const std::optional<int64_t> at = first_bad(sum);
  if (!at) return;
  std::ostringstream text;
  text << "the cotangents that flow back to the result of "
       << (node.kind == NodeKind::op ? op_by_id(node.op).name : "an argument")
       << (node.extra ? line_of(node.extra->where()) : "") << " add up to " << text_of(sum.at(*at));
  print_place(text, sum.shape(), *at);
  text << ": one was passed as a seed, or they are infinite, of either sign";
  throw AnomalyError(text.str());
}

}  // namespace tapegrad::anomaly
