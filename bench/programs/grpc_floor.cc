// SPDX-License-Identifier: MIT
// What a bare grpc++ server makes of the smallest inference, and a closed-loop client that measures
// it and Core alike.
//
//   grpc_floor server ADDRESS                            gives each input back as an output
//   grpc_floor load ADDRESS MODEL OUTSTANDING SECONDS    ModelInfer of x FP32[1] in a closed loop
//   grpc_floor latency ADDRESS MODEL CALLS               one call after the other
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "inference/grpc_service.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;
using inference::GRPCInferenceService;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Service : public GRPCInferenceService::CallbackService {
  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context,
                                       const inference::ModelInferRequest* request,
                                       inference::ModelInferResponse* response) override {
    response->set_model_name(request->model_name());
    for (int i = 0; i < request->inputs_size(); ++i) {
      auto* const output = response->add_outputs();
      output->set_name("y");
      output->set_datatype(request->inputs(i).datatype());
      *output->mutable_shape() = request->inputs(i).shape();
      response->add_raw_output_contents(request->raw_input_contents(i));
    }
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

int Serve(const std::string& address) {
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  server->Wait();
  return 0;
}

inference::ModelInferRequest RequestOf(const std::string& model) {
  inference::ModelInferRequest request;
  request.set_model_name(model);
  auto* const input = request.add_inputs();
  input->set_name("x");
  input->set_datatype("FP32");
  input->add_shape(1);
  request.add_raw_input_contents(std::string(sizeof(float), '\0'));
  return request;
}

/// One call under way.
struct Call {
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<inference::ModelInferResponse>> reader;
};

int Load(GRPCInferenceService::Stub& stub, const inference::ModelInferRequest& request,
         int outstanding, double seconds) {
  grpc::CompletionQueue queue;
  const auto start_call = [&] {
    auto* const call = new Call();
    call->reader = stub.AsyncModelInfer(&call->context, request, &queue);
    call->reader->Finish(&call->response, &call->status, call);
  };
  for (int i = 0; i < outstanding; ++i) start_call();
  const Clock::time_point start = Clock::now();
  long calls = 0;
  void* tag = nullptr;
  bool ok = false;
  for (int open = outstanding; open > 0 && queue.Next(&tag, &ok);) {
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (!call->status.ok()) {
      std::fprintf(stderr, "%s\n", call->status.error_message().c_str());
      return 1;
    }
    ++calls;
    if (SecondsSince(start) < seconds) {
      start_call();
    } else {
      --open;
    }
  }
  std::printf("%.0f\n", static_cast<double>(calls) / SecondsSince(start));
  return 0;
}

int Latency(GRPCInferenceService::Stub& stub, const inference::ModelInferRequest& request,
            int calls) {
  std::vector<double> times;
  for (int i = 0; i < calls; ++i) {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    const Clock::time_point start = Clock::now();
    if (!stub.ModelInfer(&context, request, &response).ok()) return 1;
    times.push_back(SecondsSince(start) * 1e6);
  }
  std::sort(times.begin(), times.end());
  std::printf("%.1f %.1f\n", times[times.size() / 2], times[times.size() * 99 / 100]);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv, argv + argc);
  if (args.size() < 3) return 2;
  if (args[1] == "server") return Serve(args[2]);
  const auto channel = grpc::CreateChannel(args[2], grpc::InsecureChannelCredentials());
  const auto stub = GRPCInferenceService::NewStub(channel);
  const inference::ModelInferRequest request = RequestOf(args.size() > 3 ? args[3] : "");
  if (args[1] == "load" && args.size() == 6) {
    return Load(*stub, request, std::atoi(args[4].c_str()), std::atof(args[5].c_str()));
  }
  if (args[1] == "latency" && args.size() == 5) {
    return Latency(*stub, request, std::atoi(args[4].c_str()));
  }
  return 2;
}
