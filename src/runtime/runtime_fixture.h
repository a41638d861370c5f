// SPDX-License-Identifier: MIT
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "package/test_folder.h"
#include "runtime/runtime.h"

namespace mlos::runtime {

/// A runtime on a folder of its own, with a plugin whose models act on demand
/// (tests/plugin/fixtures).
class RuntimeTest : public package::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    std::filesystem::create_directories(folder() / "state");
    options_.state_dir = folder() / "state";
    options_.plugin_dirs = {std::filesystem::path(MLOS_TEST_PLUGIN).parent_path()};
    options_.probe_program = MLOS_TEST_PROBE;
    options_.compute_threads = 2;
  }
  void TearDown() override {
    runtime_.reset();
    FolderTest::TearDown();
  }

  /// Starts the runtime with `options_`, anew if it runs.
  void Start() {
    runtime_.reset();
    runtime_ = Runtime::Create(options_).value();
    runtime_->LoadRegistered();
  }
  void StartWithPlugin() {
    Start();
    const Result<catalog::PluginInfo> plugin =
        runtime_->RegisterPlugin({.id = "acting", .path = MLOS_TEST_PLUGIN});
    ASSERT_TRUE(plugin.ok()) << plugin.status();
  }

  /// A model file of the acting plugin.
  std::string Model(const std::string& name, const std::string& text) const {
    Write("models/" + name, text);
    return folder() / "models" / name;
  }
  catalog::RegisterModelRequest Request(const std::string& model_id,
                                        const std::string& path) const {
    catalog::RegisterModelRequest request;
    request.model_id = model_id;
    request.path = path;
    request.execution_format = "acting";
    return request;
  }
  Result<catalog::RegisterModelOutcome> Register(const std::string& model_id,
                                                 const std::string& path) {
    return runtime_->RegisterModel(Request(model_id, path));
  }
  catalog::ModelState StateOf(const std::string& model_id) const {
    return runtime_->GetModel(model_id).value().state;
  }

  static std::vector<tensor::NamedTensor> Input(float value) {
    tensor::Tensor x = tensor::Tensor::Allocate(tensor::DType::kFloat32, {1}).value();
    x.elements<float>()[0] = value;
    std::vector<tensor::NamedTensor> inputs;
    inputs.push_back({"x", std::move(x)});
    return inputs;
  }
  Result<Ticket> Admit(const std::string& model_id) { return runtime_->Admit(Caller(), model_id); }
  Reason RefusalOf(const std::string& model_id) { return Admit(model_id).status().reason(); }

  using Outcome = Result<engine::InferenceResponse>;
  /// Runs `request` with that ticket; the answer comes through the future.
  static std::future<Outcome> Run(Ticket ticket, engine::InferenceRequest request,
                                  Fit fit = Fit::kExact) {
    auto answer = std::make_shared<std::promise<Outcome>>();
    ticket.Run(std::move(request), fit,
               [answer](Outcome outcome) { answer->set_value(std::move(outcome)); });
    return answer->get_future();
  }
  static engine::InferenceRequest RequestFor(float x) {
    engine::InferenceRequest request;
    request.inputs = Input(x);
    return request;
  }
  /// Asks a model for x · factor.
  static std::future<Outcome> Ask(Ticket ticket, float x, Deadline deadline = kNoDeadline) {
    engine::InferenceRequest request = RequestFor(x);
    request.deadline = deadline;
    return Run(std::move(ticket), std::move(request));
  }
  /// The answer of a registered model, waited for.
  float Answer(const std::string& model_id, float x) {
    const Result<Ticket> ticket = Admit(model_id);
    EXPECT_TRUE(ticket.ok()) << ticket.status();
    if (!ticket.ok()) return 0;
    const Outcome response = Ask(*ticket, x).get();
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->outputs[0].tensor.elements<float>()[0] : 0;
  }

  RuntimeOptions options_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace mlos::runtime
