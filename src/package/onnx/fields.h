// SPDX-License-Identifier: MIT
#pragma once

// Numbers of the fields that are read or written:
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

namespace mlos::package::onnx {

namespace model_field {
inline constexpr int kIrVersion = 1;
inline constexpr int kProducerName = 2;
inline constexpr int kProducerVersion = 3;
inline constexpr int kGraph = 7;
inline constexpr int kOpsetImport = 8;
inline constexpr int kTrainingInfo = 20;
inline constexpr int kFunctions = 25;
}  // namespace model_field

namespace graph_field {
inline constexpr int kNode = 1;
inline constexpr int kInitializer = 5;
inline constexpr int kInput = 11;
inline constexpr int kOutput = 12;
inline constexpr int kSparseInitializer = 15;
}  // namespace graph_field

namespace node_field {
inline constexpr int kInput = 1;
inline constexpr int kOutput = 2;
inline constexpr int kOpType = 4;
inline constexpr int kAttribute = 5;
inline constexpr int kDomain = 7;
}  // namespace node_field

namespace function_field {
inline constexpr int kName = 1;
inline constexpr int kInput = 4;
inline constexpr int kNode = 7;
inline constexpr int kDomain = 10;
inline constexpr int kAttributeProto = 11;
}  // namespace function_field

namespace attribute_field {
inline constexpr int kTensor = 5;
inline constexpr int kGraph = 6;
inline constexpr int kTensors = 10;
inline constexpr int kGraphs = 11;
inline constexpr int kSparseTensor = 22;
inline constexpr int kSparseTensors = 23;
}  // namespace attribute_field

namespace tensor_field {
inline constexpr int kDims = 1;
inline constexpr int kDataType = 2;
inline constexpr int kName = 8;
inline constexpr int kRawData = 9;
inline constexpr int kExternalData = 13;
inline constexpr int kDataLocation = 14;
inline constexpr int kExternal = 1;  // a value of data_location
}  // namespace tensor_field

// Of a tensor's external_data: StringStringEntryProto.
namespace entry_field {
inline constexpr int kKey = 1;
inline constexpr int kValue = 2;
}  // namespace entry_field

}  // namespace mlos::package::onnx
