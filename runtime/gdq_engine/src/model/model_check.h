// Rules of a packed model between its layers, values and tensors.
#pragma once

#include <string>

#include "model/model.h"

namespace gdq {

// Raises Error, "the packed model is damaged: " and `what`, unless it is good.
void require(bool good, const std::string& what);

// Raises Error if layers could not be run one after the other.
void check_model(const Model& model);

}  // namespace gdq
