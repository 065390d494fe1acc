// The costs that passes reckon with, in ns: COST(name, ns, what it is the cost of). Written by
// `python -m benchmarks.costs --write`, which measures them; read through costs.h.

// Steps, whatever their arrays
COST(step, 300, "an op that is no other step of this list")
COST(elementwise_step, 150, "an elementwise op that is not fused")
COST(view_step, 60, "a reshape or another view")
COST(planned_step, 60, "an op in the body of a scan whose arrays have their places")
COST(turn, 10, "a turn of a scan")

// For each element
COST(element, 0.5, "to move or add an element of small arrays")
COST(far_byte, 0.08, "to read or write a byte of an array that is in no near cache")

// Scalar tapes on one element
COST(instruction, 1.3, "an instruction of a scalar tape")
COST(far_instruction, 2.5, "an instruction of a tape that the near caches do not hold")

// Scalar tapes on rows of lanes
COST(row_instruction, 4, "an instruction on a row")
COST(row_element, 0.06, "an addition on one lane more of a row")

// Products of matrices
COST(product, 0.04, "a multiply-add")
COST(small_product, 8, "over the square of the inner length: what small matrices cost beside")

// Making programs
COST(compiled_instruction, 400, "to make an instruction of a kernel over lanes")
