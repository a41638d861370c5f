// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/infer_request.h"

#include <algorithm>
#include <utility>

#include "api/http/oip/messages/infer_input.h"
#include "api/http/oip/messages/json_value.h"
#include "json/json_error.h"
#include "json/parser.h"

namespace mlos::api::http::oip::messages {
namespace {

// Inputs, outputs and their names are compared with each other; no model has as many.
constexpr std::size_t kTensorsMax = 1024;

Status TooMany(std::string_view field) {
  return Status(Reason::kInvalidField,
                std::string(field) + " has more than " + std::to_string(kTensorsMax) + " elements")
      .WithField(field);
}

Status Twice(const std::string& name) {
  return Status(Reason::kInvalidField, "the input " + json::Quote(name) + " is there twice")
      .WithField(name);
}

Status Unimplemented(std::string message, std::string_view field) {
  return Status(Reason::kUnimplemented, std::move(message)).WithField(field);
}

/// Reads one body. Thread-compatible.
class RequestReader {
 public:
  RequestReader(std::string_view json, std::string_view binary, tensors::RequestMemory& memory)
      : inputs_(json, binary, memory) {}

  Result<InferRequest> Read(simdjson::ondemand::document& document) {
    simdjson::ondemand::object object = MLOS_TRY(json::ObjectOf(document));
    bool has_inputs = false;
    const auto required = [](std::string_view key) { return key == "inputs"; };
    MLOS_TRY(ReadMembers(object, "", required, [&](const std::string& key, value item) {
      has_inputs = has_inputs || key == "inputs";
      return ReadMember(key, item);
    }));
    MLOS_TRY(json::CheckEnd(document));
    if (!has_inputs) {
      return Status(Reason::kMissingField, "the request has no member 'inputs'")
          .WithField("inputs");
    }
    MLOS_TRY(inputs_.Finish());
    request_.sequence =
        MLOS_TRY(engine::MakeSequenceStep(std::move(sequence_id_), sequence_start_, sequence_end_));
    return std::move(request_);
  }

 private:
  Status ReadMember(const std::string& key, value from) {
    if (key == "id") {
      request_.id = MLOS_TRY(ReadText(from, "id"));
      return OkStatus();
    }
    if (key == "inputs") return ReadInputs(from);
    if (key == "outputs") return ReadOutputs(from);
    if (key != "parameters") return SkipValue(from, 1);
    return ReadParameters(from, "parameters",
                          [this](const auto&... given) { return TakeRequestParameter(given...); });
  }

  Status ReadInputs(value from) {
    simdjson::ondemand::array array = MLOS_TRY(ReadArray(from, "inputs"));
    for (auto element : array) {
      value item;
      if (const auto error = element.get(item)) return json::JsonError(error);
      if (request_.inputs.size() == kTensorsMax) return TooMany("inputs");
      tensor::NamedTensor input = MLOS_TRY(inputs_.Read(item));
      const bool known = std::any_of(request_.inputs.begin(), request_.inputs.end(),
                                     [&](const auto& other) { return other.name == input.name; });
      if (known) return Twice(input.name);
      request_.inputs.push_back(std::move(input));
    }
    return OkStatus();
  }

  Status ReadOutputs(value from) {
    simdjson::ondemand::array array = MLOS_TRY(ReadArray(from, "outputs"));
    for (auto element : array) {
      value item;
      if (const auto error = element.get(item)) return json::JsonError(error);
      if (request_.outputs.size() == kTensorsMax) return TooMany("outputs");
      request_.outputs.push_back(MLOS_TRY(ReadOutput(item)));
    }
    return OkStatus();
  }

  Result<RequestedOutput> ReadOutput(value from) {
    simdjson::ondemand::object object = MLOS_TRY(ReadObject(from, "outputs"));
    RequestedOutput output;
    const auto required = [](std::string_view key) { return key == "name"; };
    const auto take = [&](const std::string& key, value item) -> Status {
      if (key == "parameters") {
        return ReadParameters(item, "outputs.parameters", [&](const auto&... given) {
          return TakeOutputParameter(output, given...);
        });
      }
      if (key != "name") return SkipValue(item, 3);
      output.name = MLOS_TRY(ReadText(item, "outputs.name"));
      return OkStatus();
    };
    MLOS_TRY(ReadMembers(object, "outputs", required, take));
    if (!output.name.empty()) return output;
    return Status(Reason::kMissingField, "an output has no member 'name'")
        .WithField("outputs.name");
  }

  static Status TakeOutputParameter(RequestedOutput& output, const std::string& key,
                                    const Parameter& parameter, const std::string& field) {
    if (key == "binary_data") {
      output.binary = MLOS_TRY(FlagOf(parameter, field));
    } else if (key == "classification") {
      if (MLOS_TRY(CountOf(parameter, field)) != 0) {
        return Unimplemented("classification is not offered; take the tensor", field);
      }
    } else if (key.starts_with("shared_memory_")) {
      return Unimplemented("shared memory is not offered over the network; take the data", field);
    }
    return OkStatus();
  }

  Status TakeRequestParameter(const std::string& key, const Parameter& parameter,
                              const std::string& field) {
    if (key == "binary_data_output") {
      request_.binary_outputs = MLOS_TRY(FlagOf(parameter, field));
    } else if (key == "timeout") {
      request_.timeout_us = MLOS_TRY(CountOf(parameter, field));
    } else if (key == "sequence_id") {
      sequence_id_ = MLOS_TRY(IdOf(parameter, field));
    } else if (key == "sequence_start") {
      sequence_start_ = MLOS_TRY(FlagOf(parameter, field));
    } else if (key == "sequence_end") {
      sequence_end_ = MLOS_TRY(FlagOf(parameter, field));
    }
    return OkStatus();
  }

  InputReader inputs_;
  InferRequest request_;
  std::string sequence_id_;
  bool sequence_start_ = false;
  bool sequence_end_ = false;
};

}  // namespace

bool InferRequest::IsBinary(std::string_view output) const {
  const auto requested = std::find_if(outputs.begin(), outputs.end(),
                                      [&](const auto& item) { return item.name == output; });
  return requested != outputs.end() ? requested->binary.value_or(binary_outputs) : binary_outputs;
}

Result<InferRequest> ReadInferRequest(const net::ByteBuffer& body, std::size_t json_bytes,
                                      tensors::RequestMemory& memory) {
  json::ParserLease lease;
  simdjson::ondemand::document document = MLOS_TRY(lease.Open(body, json_bytes, memory.budget()));
  RequestReader reader(body.view().substr(0, json_bytes), body.view().substr(json_bytes), memory);
  return reader.Read(document);
}

}  // namespace mlos::api::http::oip::messages
