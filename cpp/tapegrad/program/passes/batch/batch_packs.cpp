#include <algorithm>

#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/passes.h"

// A kernel that is taken apart into scalars hands what it computed to another one array by array,
// and often number by number: each is a value with memory of its own, which takes longer than the
// arithmetic. Here what kernels of this kind alone read of one becomes a single array, of which
// they read elements.

namespace tapegrad {
namespace {

constexpr size_t least_arrays = 8;

class Packs {
 public:
  explicit Packs(const Program& p)
      : p_(p), is_read_otherwise_(p.values.size(), false), place_(p.values.size()) {
    for (const Program::Step& s : p_.steps) {
      const LaneBatch* batch = batch_of(s);
      for (size_t k = 0; k < s.n_in; ++k)
        if (!batch || batch->in[k].axis != LaneBatch::no_axis)
          is_read_otherwise_[p_.in(s)[k]] = true;
    }
    for (const Program::Guard& g : p_.guards) is_read_otherwise_[g.value] = true;
    for (ValueId v : p_.outputs) is_read_otherwise_[v] = true;
    for (uint32_t i = 0; i < p_.steps.size(); ++i) any_ |= find(i);
  }

  bool any() const { return any_; }

  Program run() {
    Edit edit(p_);
    packed_.assign(p_.steps.size(), no_value);
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      if (batch_of(p_.steps[i])) {
        write(edit, i);
      } else {
        edit.copy(p_.steps[i]);
      }
    }
    return edit.finish();
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};
  // Where the elements of a value stand in what its step packs.
  struct Place {
    uint32_t step = none;
    uint32_t first = 0;
  };

  const FusedKernel* kernel_of(const Program::Step& s) const {
    if (s.kernel < 0) return nullptr;
    return dynamic_cast<const FusedKernel*>(p_.kernels[static_cast<size_t>(s.kernel)].get());
  }
  const LaneBatch* batch_of(const Program::Step& s) const {
    const FusedKernel* fused = kernel_of(s);
    return fused ? fused->lanes.kernel().batch.get() : nullptr;
  }

  // Whether step i packs some of its results, and where those come to stand.
  bool find(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    const LaneBatch* batch = batch_of(s);
    if (!batch || !batch->places.empty()) return false;
    const DType dtype = kernel_of(s)->lanes.kernel().dtype;
    std::vector<uint32_t> found;
    for (uint32_t j = 0; j < s.n_out; ++j) {
      const LaneBatch::Array& array = batch->out[j];
      if (array.axis == LaneBatch::no_axis && array.dtype == dtype &&
          !is_read_otherwise_[s.first_out + j])
        found.push_back(j);
    }
    if (found.size() < least_arrays) return false;
    uint32_t first = 0;
    for (uint32_t j : found) {
      place_[s.first_out + j] = {i, first};
      first += static_cast<uint32_t>(element_count(batch->out[j].shape));
    }
    return true;
  }

  void write(Edit& edit, uint32_t i) {
    const Program::Step& s = p_.steps[i];
    const FusedKernel& old = *kernel_of(s);
    LaneKernel kernel = old.lanes.kernel();
    LaneBatch batch = *kernel.batch;
    const std::vector<ValueId> in = packed_inputs(batch, s);
    std::vector<uint32_t> types;
    std::vector<ValueId> stands_for;
    const bool packs = pack_outputs(edit, batch, s, types, stands_for);
    Program::Step like = s;
    const auto is_packed = [this](ValueId v) { return place_[v].step != none; };
    if (packs || std::ranges::any_of(in, is_packed)) {
      kernel.batch = std::make_shared<const LaneBatch>(std::move(batch));
      like.kernel = edit.kernel(std::make_shared<const FusedKernel>(std::move(kernel), old.space));
    }
    std::vector<ValueId> now;
    for (ValueId v : in) now.push_back(is_packed(v) ? packed(v) : edit.at(v));
    const ValueId first = edit.write(like, now, types);
    for (size_t r = 0; r < stands_for.size(); ++r)
      edit.set(stands_for[r], first + static_cast<ValueId>(r));
    if (packs) packed_[i] = first + static_cast<ValueId>(stands_for.size());
  }

  ValueId packed(ValueId v) const { return packed_[place_[v].step]; }

  // One of the old values for each array that the kernel then reads.
  std::vector<ValueId> packed_inputs(LaneBatch& batch, const Program::Step& s) const {
    std::vector<ValueId> in;
    std::vector<LaneBatch::Array> arrays;
    std::vector<uint32_t> number(s.n_in), shift(s.n_in, 0);
    std::vector<std::pair<uint32_t, uint32_t>> packs;  // a step, and the array it stands for
    for (uint32_t k = 0; k < s.n_in; ++k) {
      const ValueId v = p_.in(s)[k];
      const Place& place = place_[v];
      shift[k] = place.first;
      if (place.step != none) {
        const auto known =
            std::ranges::find(packs, place.step, &std::pair<uint32_t, uint32_t>::first);
        if (known != packs.end()) {
          number[k] = known->second;
          continue;
        }
        packs.emplace_back(place.step, static_cast<uint32_t>(arrays.size()));
      }
      number[k] = static_cast<uint32_t>(arrays.size());
      in.push_back(v);
      arrays.push_back(place.step == none ? batch.in[k] : array_of(place.step));
    }
    for (LaneBatch::Part& part : batch.inputs)
      part = {number[part.array], shift[part.array] + part.at};
    batch.in = std::move(arrays);
    return in;
  }

  // What a step packs.
  LaneBatch::Array array_of(uint32_t step) const {
    const Program::Step& s = p_.steps[step];
    int64_t n = 0;
    for (uint32_t j = 0; j < s.n_out; ++j)
      if (place_[s.first_out + j].step == step)
        n += element_count(p_.type_of(s.first_out + j).shape);
    return {Dims{n}, kernel_of(s)->lanes.kernel().dtype, LaneBatch::no_axis};
  }

  bool pack_outputs(Edit& edit, LaneBatch& batch, const Program::Step& s,
                    std::vector<uint32_t>& types, std::vector<ValueId>& stands_for) const {
    std::vector<LaneBatch::Array> out;
    std::vector<uint32_t> number(s.n_out, none);
    for (uint32_t j = 0; j < s.n_out; ++j) {
      const ValueId v = s.first_out + j;
      if (place_[v].step != none) continue;
      number[j] = static_cast<uint32_t>(types.size());
      types.push_back(p_.values[v].type);
      stands_for.push_back(v);
      if (batch.places.empty()) out.push_back(batch.out[j]);
    }
    if (types.size() == s.n_out) return false;
    for (LaneBatch::Part& part : batch.outputs) {
      const Place& place = place_[s.first_out + part.array];
      part = place.step == none
                 ? LaneBatch::Part{number[part.array], part.at}
                 : LaneBatch::Part{static_cast<uint32_t>(out.size()), place.first + part.at};
    }
    const LaneBatch::Array pack = array_of(p_.values[s.first_out].index);
    out.push_back(pack);
    types.push_back(edit.type({pack.dtype, pack.shape}));
    batch.out = std::move(out);
    return true;
  }

  const Program& p_;
  std::vector<bool> is_read_otherwise_;  // by value: not by such kernels alone
  std::vector<Place> place_;             // by value
  std::vector<ValueId> packed_;          // by step: new values
  bool any_ = false;
};

}  // namespace

Program pack_results(Program p) {
  Packs pass(p);
  return pass.any() ? drop_dead(pass.run()) : p;
}

}  // namespace tapegrad
