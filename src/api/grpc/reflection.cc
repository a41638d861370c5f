// SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "api/grpc/messages/codec.h"
#include "api/grpc/messages/descriptors.h"
#include "api/grpc/methods.h"
#include "base/text.h"
#include "grpc/reflection/v1/reflection.pb.h"

// The gRPC server reflection protocol, v1 and v1alpha, whose messages are the same.
namespace mlos::api::grpc {
namespace {

namespace reflection = ::grpc::reflection::v1;
using messages::Descriptors;
using Request = reflection::ServerReflectionRequest;
using Response = reflection::ServerReflectionResponse;

void SetFile(const std::string* file, Response& response) {
  if (file != nullptr) {
    response.mutable_file_descriptor_response()->add_file_descriptor_proto(*file);
    return;
  }
  response.mutable_error_response()->set_error_code(static_cast<int>(StatusCode::kNotFound));
  response.mutable_error_response()->set_error_message("nothing of this name is served");
}

void Answer(const Request& request, Response& response) {
  const Descriptors& descriptors = Descriptors::Get();
  switch (request.message_request_case()) {
    case Request::kListServices:
      for (const std::string& name : descriptors.services()) {
        response.mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    case Request::kFileByFilename:
      SetFile(descriptors.FindFile(request.file_by_filename()), response);
      break;
    case Request::kFileContainingSymbol:
      SetFile(descriptors.FindSymbol(request.file_containing_symbol()), response);
      break;
    case Request::kAllExtensionNumbersOfType:
      // No message of ours has extensions.
      if (descriptors.FindSymbol(request.all_extension_numbers_of_type()) == nullptr) {
        SetFile(nullptr, response);
      } else {
        response.mutable_all_extension_numbers_response()->set_base_type_name(
            request.all_extension_numbers_of_type());
      }
      break;
    case Request::kFileContainingExtension:
      SetFile(nullptr, response);
      break;
    case Request::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(
          static_cast<int>(StatusCode::kInvalidArgument));
      response.mutable_error_response()->set_error_message("the request asks for nothing");
      break;
  }
}

class Reflection : public call::CallHandler {
 public:
  explicit Reflection(call::Call& call) : call_(call) {}

  void OnMessage(call::Message message) override {
    Request request;
    resource::Reservation held;
    const Status parsed = messages::Parse(call_, message, messages::kFlatCost, request, held);
    if (!parsed.ok()) return call_.Finish(parsed);
    Response response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    Answer(request, response);
    net::ByteBuffer encoded = messages::Encode(call_, response);
    if (!encoded.status().ok()) return call_.Finish(encoded.status());
    call_.Send(std::move(encoded));
    // One who asks without reading the answers is asked to wait.
    call_.Pause();
  }
  void OnDrained() override { call_.Resume(); }
  void OnHalfClose() override { call_.Finish(OkStatus()); }

 private:
  call::Call& call_;
};

std::unique_ptr<call::CallHandler> Open(call::Call& call) {
  return std::make_unique<Reflection>(call);
}

}  // namespace

std::vector<call::Method> ReflectionMethods() {
  return {{.path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
           .operation = door::Operation::kReadInterface,
           .client_streaming = true,
           .open = &Open},
          {.path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
           .operation = door::Operation::kReadInterface,
           .client_streaming = true,
           .open = &Open}};
}

}  // namespace mlos::api::grpc
