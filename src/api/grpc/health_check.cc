// SPDX-License-Identifier: MIT
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "api/grpc/messages/unary.h"
#include "api/grpc/methods.h"
#include "grpc/health/v1/health.pb.h"

// The gRPC health checking protocol.
namespace mlos::api::grpc {
namespace {

namespace health = ::grpc::health::v1;
using Answer = health::HealthCheckResponse;

constexpr std::string_view kServices[] = {
    "",
    "inference.GRPCInferenceService",
    "mlos.v1.HealthService",
    "mlos.v1.InferenceService",
    "mlos.v1.ModelService",
    "mlos.v1.PluginService",
};

// As gRPC's own servers have it: a longer list is refused, and Check tells of each.
constexpr std::size_t kListedMax = 100;

Answer::ServingStatus StatusOf(const catalog::ModelInfo& model) {
  return model.state == catalog::ModelState::kLoaded ? Answer::SERVING : Answer::NOT_SERVING;
}

Answer::ServingStatus StatusOf(runtime::Runtime& runtime, const std::string& service) {
  if (std::find(std::begin(kServices), std::end(kServices), service) != std::end(kServices)) {
    return runtime.ready() ? Answer::SERVING : Answer::NOT_SERVING;
  }
  const Result<catalog::ModelInfo> model = runtime.GetModel(service);
  return model.ok() ? StatusOf(*model) : Answer::SERVICE_UNKNOWN;
}

Result<Answer> Check(call::Call& call, const health::HealthCheckRequest& request) {
  Answer answer;
  answer.set_status(StatusOf(call.runtime(), request.service()));
  if (answer.status() != Answer::SERVICE_UNKNOWN) return answer;
  return Status(Reason::kModelNotFound, "neither a service nor a model of this name is known")
      .WithField("service");
}

Result<health::HealthListResponse> List(call::Call& call,
                                        const health::HealthListRequest& /*request*/) {
  const std::vector<catalog::ModelInfo> models = call.runtime().ListModels();
  const std::size_t count = models.size() + std::size(kServices);
  if (count > kListedMax) {
    return Status(Reason::kPayloadTooLarge,
                  "there are " + std::to_string(count) + " services and models, and " +
                      std::to_string(kListedMax) + " are listed at most; ask for each with Check");
  }
  health::HealthListResponse response;
  auto& statuses = *response.mutable_statuses();
  for (const catalog::ModelInfo& model : models) {
    statuses[model.model_id].set_status(StatusOf(model));
  }
  // After the models: a service of the same name is what Check tells of.
  for (const std::string_view service : kServices) {
    const std::string name(service);
    statuses[name].set_status(StatusOf(call.runtime(), name));
  }
  return response;
}

/// Tells the state, and again whenever it has changed; looks four times a second.
class Watch : public call::CallHandler {
 public:
  explicit Watch(call::Call& call) : call_(call) {}

  void OnMessage(call::Message message) override {
    health::HealthCheckRequest request;
    resource::Reservation held;
    const Status parsed = messages::Parse(call_, message, messages::kFlatCost, request, held);
    if (!parsed.ok()) return call_.Finish(parsed);
    service_ = request.service();
  }
  void OnHalfClose() override {
    watching_ = true;
    Tell();
  }
  void OnTick(SteadyClock::time_point /*now*/) override { Tell(); }

 private:
  void Tell() {
    if (!watching_ || call_.waiting_bytes() != 0) return;
    const Answer::ServingStatus status = StatusOf(call_.runtime(), service_);
    if (std::exchange(told_, status) == status) return;
    Answer answer;
    answer.set_status(status);
    net::ByteBuffer message = messages::Encode(call_, answer);
    if (!message.status().ok()) return call_.Finish(message.status());
    call_.Send(std::move(message));
  }

  call::Call& call_;
  std::string service_;
  bool watching_ = false;
  Answer::ServingStatus told_ = Answer::UNKNOWN;
};

}  // namespace

std::vector<call::Method> HealthMethods() {
  return {{.path = "/grpc.health.v1.Health/Check",
           .operation = door::Operation::kReadHealth,
           .open = &messages::Unary<&Check>::Open},
          {.path = "/grpc.health.v1.Health/Watch",
           .operation = door::Operation::kReadHealth,
           .open = [](call::Call& call) -> std::unique_ptr<call::CallHandler> {
             return std::make_unique<Watch>(call);
           }},
          {.path = "/grpc.health.v1.Health/List",
           .operation = door::Operation::kListModels,
           .open = &messages::Unary<&List>::Open}};
}

}  // namespace mlos::api::grpc
