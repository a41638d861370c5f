// SPDX-License-Identifier: MIT
#include "package/verify.h"

#include "axon/cli/commands.h"
#include "axon/cli/common.h"
#include "axon/ui/hint.h"

namespace axon::cli {
namespace {

namespace package = mlos::package;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using package::VerifyReport;
using store::InstalledModel;

struct Verdict {
  std::string model_id;
  bool verified = false;
  VerifyReport report;

  bool intact() const { return report.ok(); }
};

std::uint64_t TotalBytes(const std::vector<InstalledModel>& models) {
  std::uint64_t total = 0;
  for (const InstalledModel& model : models) {
    const auto parsed = ReadInstalledManifest(model);
    if (parsed.ok()) total += BytesOf(parsed->manifest);
  }
  return total;
}

/// A model that cannot even be read has this one problem.
void AddFailure(Verdict& verdict, std::string_view path, const Status& status) {
  const bool unsafe = status.reason() == Reason::kUnsafePath;
  verdict.report.problems.push_back(
      {std::string(path), unsafe ? package::FileFault::kUnsafe : package::FileFault::kUnreadable,
       std::string(status.message()), status.reason()});
}

/// A model that is damaged is a verdict; only an interruption ends the work.
Result<Verdict> Verify(const InstalledModel& model, const package::HashProgress& progress) {
  Verdict verdict{.model_id = model.id.text()};
  const auto parsed = ReadInstalledManifest(model);
  if (!parsed.ok()) {
    AddFailure(verdict, package::kManifestFileName, parsed.status());
    return verdict;
  }
  verdict.verified = parsed->manifest.verified();
  auto report = package::VerifyDirectory(model.directory, parsed->manifest, progress);
  if (!report.ok() && report.status().reason() == Reason::kCancelled) return report.status();
  if (report.ok()) {
    verdict.report = std::move(report).value();
  } else {
    AddFailure(verdict, ".", report.status());
  }
  return verdict;
}

void ShowJson(Context& context, const std::vector<Verdict>& verdicts) {
  ui::JsonWriter json;
  json.BeginArray();
  for (const Verdict& verdict : verdicts) {
    json.BeginObject().Field("model_id", verdict.model_id).Field("intact", verdict.intact());
    json.Field("verified", verdict.verified).Field("files", verdict.report.files.size());
    json.Key("problems").BeginArray();
    for (const package::FileProblem& problem : verdict.report.problems) {
      json.BeginObject().Field("path", problem.path).Field("fault", ToString(problem.fault));
      json.Field("message", problem.message).EndObject();
    }
    json.EndArray().EndObject();
  }
  context.console.Data(json.EndArray());
}

void ShowText(Context& context, const std::vector<Verdict>& verdicts) {
  std::string lines;
  for (const Verdict& verdict : verdicts) {
    const std::string state = verdict.report.unknown() ? "UNKNOWN"
                              : !verdict.intact()      ? "DAMAGED"
                              : verdict.verified       ? "intact"
                                                 : "intact (unverified: digests from its import)";
    lines += verdict.model_id + "  " + state + "\n";
    for (const package::FileProblem& problem : verdict.report.problems) {
      context.console.Warn(verdict.model_id + ": " + problem.path + " " + problem.message);
    }
  }
  context.console.Data(lines);
}

/// Of them all: what has changed comes before what nobody knows.
Status StatusOf(const std::vector<Verdict>& verdicts) {
  std::string damaged;
  for (const Verdict& verdict : verdicts) {
    if (verdict.intact() || verdict.report.unknown()) continue;
    damaged += (damaged.empty() ? "" : ", ") + verdict.model_id;
  }
  if (!damaged.empty()) {
    return ui::WithHint(Status(Reason::kChecksumMismatch, "changed since installation: " + damaged),
                        "axon install --force fetches a model again");
  }
  for (const Verdict& verdict : verdicts) {
    if (verdict.report.unknown()) return ToStatus(verdict.report).WithContext(verdict.model_id);
  }
  return mlos::OkStatus();
}

Outcome VerifyAll(Context& context, const std::string& name) {
  const store::Store store = OpenStore(context);
  const std::vector<InstalledModel> models =
      MLOS_TRY(name.empty() ? store.List() : FindInstalled(store, name));
  std::uint64_t done_bytes = 0;
  const auto progress = [&](std::uint64_t bytes) {
    context.console.MoveProgress(done_bytes += bytes);
    return !context.cancel.IsSet();
  };
  context.console.BeginProgress("verifying", TotalBytes(models));
  std::vector<Verdict> verdicts;
  for (const InstalledModel& model : models) {
    verdicts.push_back(MLOS_TRY(Verify(model, progress)));
  }
  context.console.EndProgress();
  if (context.console.json()) {
    ShowJson(context, verdicts);
  } else {
    ShowText(context, verdicts);
  }
  return StatusOf(verdicts);
}

}  // namespace

void AddVerify(Commands& commands) {
  auto model = std::make_shared<std::string>();
  commands
      .Add("verify", "Hashes the files of a model, or of all models",
           [model](Context& context) { return VerifyAll(context, *model); })
      .OptionalArgument("model", *model, "namespace/name[@version]; all models without it");
}

}  // namespace axon::cli
