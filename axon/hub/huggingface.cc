// SPDX-License-Identifier: MIT
#include "axon/hub/huggingface.h"

#include <algorithm>

#include "axon/hub/huggingface_json.h"
#include "axon/ui/hint.h"

namespace axon::hub {
namespace {

using fetch::Response;
using fetch::ResponseHead;
using fetch::Url;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using ui::WithHint;

// More pages than the largest repositories have; a listing without end stops here.
constexpr int kPagesMax = 200;
constexpr std::size_t kFilesMax = 100'000;

class HuggingFace : public Hub {
 public:
  HuggingFace(const HubSettings& settings, const fetch::CancelFlag& cancel)
      : access_(settings.huggingface_endpoint, settings.huggingface_token),
        client_(access_, cancel, settings.client) {}

  Result<RemoteModel> Resolve(const ModelSpec& spec) override;
  Status CheckAccess(const RemoteModel& model, const RemoteFile& file) override;
  Result<Url> FileUrl(const RemoteModel& model, const RemoteFile& file) const override;
  Status Explain(const RemoteModel& model, const ResponseHead& head) const override {
    return Explain(model.repository, model.revision, head);
  }
  fetch::Access& access() override { return access_; }

 private:
  Result<Url> Address(const std::string& path) const { return Url::Parse(Base() + path); }
  std::string Page(const std::string& repository) const { return Base() + "/" + repository; }
  std::string Base() const {
    const std::string& text = access_.endpoint().text();
    return text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
  }
  Status ListFiles(RemoteModel& model);
  Status Explain(const std::string& repository, const std::string& revision,
                 const ResponseHead& head) const;
  Status Denied(const std::string& repository, const ResponseHead& head) const;
  Status NotFound(const std::string& repository, const std::string& revision,
                  const ResponseHead& head) const;
  Status Gated(const std::string& repository, bool recognised) const;

  fetch::Access access_;
  fetch::Client client_;
};

Result<RemoteModel> HuggingFace::Resolve(const ModelSpec& spec) {
  const std::string& repository = spec.name();
  if (std::count(repository.begin(), repository.end(), '/') > 1) {
    return Status(Reason::kInvalidModelId,
                  "'" + spec.path() +
                      "' is not a model of Hugging Face; expected hf/<organisation>/<name>")
        .WithField("model_id");
  }
  const std::string asked = spec.revision_or_latest();
  const std::string revision = asked == kLatest ? "main" : asked;
  const Url url = MLOS_TRY(Address("/api/models/" + fetch::PercentEncode(repository, true) +
                                   "/revision/" + fetch::PercentEncode(revision)));
  const Response response = MLOS_TRY(client_.Get(url));
  if (response.head.status != 200) return Explain(repository, revision, response.head);
  RemoteModel model = MLOS_TRY(ParseModelInfo(response.body));
  model.revision = revision;
  model.homepage = Page(model.repository);
  MLOS_TRY(ListFiles(model));
  return model;
}

Status HuggingFace::ListFiles(RemoteModel& model) {
  Url url = MLOS_TRY(Address("/api/models/" + fetch::PercentEncode(model.repository, true) +
                             "/tree/" + model.commit + "?recursive=true&expand=false"));
  for (int page = 0; page < kPagesMax; ++page) {
    const Response response = MLOS_TRY(client_.Get(url));
    if (response.head.status != 200) {
      return Explain(model.repository, model.revision, response.head);
    }
    MLOS_TRY(ParseTreePage(response.body, model.files));
    if (model.files.size() > kFilesMax) break;
    const std::string_view next = NextLink(response.head.Header("link"));
    if (next.empty()) {
      std::sort(model.files.begin(), model.files.end(),
                [](const RemoteFile& a, const RemoteFile& b) { return a.path < b.path; });
      return mlos::OkStatus();
    }
    url = MLOS_TRY(url.Resolve(next));
    if (!url.SameOrigin(access_.endpoint())) {
      return {Reason::kHostNotAllowed, "the hub's list of files continues at another server, " +
                                           url.Shown() + ", which axon does not follow"};
    }
  }
  return {Reason::kPayloadTooLarge, "the repository lists too many files"};
}

Status HuggingFace::CheckAccess(const RemoteModel& model, const RemoteFile& file) {
  const Url url = MLOS_TRY(FileUrl(model, file));
  const Response response = MLOS_TRY(client_.Head(url));
  if (response.head.status != 200 && !response.head.IsRedirect()) {
    return Explain(model, response.head);
  }
  const std::string_view commit = response.head.Header("x-repo-commit");
  if (commit.empty() || commit == model.commit) return mlos::OkStatus();
  return {Reason::kServerError, "the hub offers " + file.path + " of another commit, " +
                                    std::string(commit) + ", than the one asked for"};
}

Result<Url> HuggingFace::FileUrl(const RemoteModel& model, const RemoteFile& file) const {
  return Address("/" + fetch::PercentEncode(model.repository, true) + "/resolve/" + model.commit +
                 "/" + fetch::PercentEncode(file.path, true));
}

Status HuggingFace::Explain(const std::string& repository, const std::string& revision,
                            const ResponseHead& head) const {
  switch (head.status) {
    case 401:
    case 403:
      return Denied(repository, head);
    case 404:
      return NotFound(repository, revision, head);
    case 429:
      return WithHint({Reason::kServerError,
                       access_.endpoint().host() + " has had too many requests from here (429)"},
                      "wait a few minutes, or set HF_TOKEN for a higher limit");
    default:
      return {Reason::kServerError,
              access_.endpoint().host() + " answers with status " + std::to_string(head.status)};
  }
}

Status HuggingFace::Denied(const std::string& repository, const ResponseHead& head) const {
  const bool recognised = access_.has_token();
  if (head.Header("x-error-code") == "GatedRepo") return Gated(repository, recognised);
  if (!recognised) {
    return WithHint({Reason::kRemoteNotFound, "there is no repository " + repository + " at " +
                                                  access_.endpoint().host() + ", or it is private"},
                    "check the name; for a private repository set HF_TOKEN");
  }
  return WithHint({head.status == 401 ? Reason::kUnauthenticated : Reason::kPermissionDenied,
                   access_.endpoint().host() + " does not accept the token for " + repository},
                  "check HF_TOKEN, or registry.huggingface_token of config.yaml; "
                  "`axon config list` shows which is used");
}

Status HuggingFace::Gated(const std::string& repository, bool recognised) const {
  const std::string page = Page(repository);
  Status status(
      recognised ? Reason::kPermissionDenied : Reason::kUnauthenticated,
      repository + " is gated: its authors ask everyone to accept their conditions first");
  return WithHint(std::move(status),
                  "accept them at " + page +
                      (recognised ? " with the account of your token" : ", then set HF_TOKEN"));
}

Status HuggingFace::NotFound(const std::string& repository, const std::string& revision,
                             const ResponseHead& head) const {
  const std::string_view code = head.Header("x-error-code");
  if (code == "RevisionNotFound") {
    return {Reason::kRemoteNotFound, repository + " has no branch, tag or commit " + revision};
  }
  if (code == "EntryNotFound") {
    return {Reason::kRemoteNotFound, "the file is not in " + repository + " any more"};
  }
  return WithHint({Reason::kRemoteNotFound,
                   "there is no repository " + repository + " at " + access_.endpoint().host()},
                  "check the name; a private repository needs a token that may read it");
}

}  // namespace

std::unique_ptr<Hub> MakeHuggingFace(const HubSettings& settings, const fetch::CancelFlag& cancel) {
  return std::make_unique<HuggingFace>(settings, cancel);
}

}  // namespace axon::hub
