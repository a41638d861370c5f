// SPDX-License-Identifier: MIT
#include "axon/fetch/transfer.h"

#include <charconv>

namespace axon::fetch {
namespace {

using mlos::Reason;
using mlos::Status;
using mlos::package::Hasher;

// A small file costs less to fetch again than a note costs to write.
constexpr std::uint64_t kNoteWorthyBytes = 256 << 10;
// This much since the last failure is progress: a server that sends a byte a minute never ends.
constexpr std::uint64_t kProgressBytes = 256 << 10;
constexpr std::size_t kIgnoredBytesMax = 64 << 10;

bool HasContent(const ResponseHead& head) { return head.status == 200 || head.status == 206; }

/// A validator that If-Range may carry: weak ones may not (RFC 9110, 13.1.5).
std::string StrongEtag(const ResponseHead& head) {
  const std::string_view etag = head.Header("etag");
  return etag.starts_with('"') && etag.size() <= 256 ? std::string(etag) : std::string();
}

struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size = 0;
};

/// "bytes 10-99/100".
std::optional<ContentRange> ParseContentRange(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  const char* at = text.data() + kUnit.size();
  const char* const end = text.data() + text.size();
  ContentRange range;
  const auto number = [&at, end](std::uint64_t& value, char separator) {
    const auto [next, error] = std::from_chars(at, end, value);
    const bool separated = separator == '\0' ? next == end : next != end && *next == separator;
    at = next + 1;
    return error == std::errc() && separated;
  };
  if (!number(range.first, '-') || !number(range.last, '/')) return std::nullopt;
  return number(range.size, '\0') ? std::optional(range) : std::nullopt;
}

}  // namespace

Status Transfer::Named(Status status) const { return std::move(status).WithContext(item_.name); }

Status Transfer::Prepare(const CancelFlag& cancel) {
  auto part = PartialFile::Open(item_.part, item_.expected.size_bytes);
  if (!part.ok()) return Named(std::move(part).status());
  part_.emplace(std::move(part).value());
  pieced_together_ = part_->size_bytes() > 0;
  size_at_failure_ = part_->size_bytes();
  ResetHashers();
  MLOS_TRY(Named(part_->Replay([&](std::string_view bytes) {
    Absorb(bytes);
    return !cancel.IsSet();
  })));
  return part_->size_bytes() == item_.expected.size_bytes ? Conclude() : mlos::OkStatus();
}

void Transfer::ResetHashers() {
  sha256_hasher_.emplace(Hasher::Sha256());
  if (item_.expected.kind == ExpectedContent::Kind::kGitBlobSha1) {
    git_hasher_.emplace(Hasher::GitBlobSha1(item_.expected.size_bytes));
  }
}

void Transfer::Absorb(std::string_view bytes) {
  sha256_hasher_->Update(bytes);
  if (git_hasher_.has_value()) git_hasher_->Update(bytes);
}

void Transfer::Start() {
  ExchangeRequest request{.url = hop_.has_value() ? *hop_ : item_.url};
  if (part_->size_bytes() > 0) {
    request.headers.push_back("Range: bytes=" + std::to_string(part_->size_bytes()) + "-");
    const std::string etag = part_->EtagFrom(item_.url.text());
    if (!etag.empty()) request.headers.push_back("If-Range: " + etag);
  }
  restart_wanted_ = false;
  ignored_bytes_ = 0;
  state_ = State::kRunning;
  exchange_.Begin(request, *this);
}

Status Transfer::OnHead(const ResponseHead& head) {
  if (!HasContent(head)) return mlos::OkStatus();
  const std::string_view encoding = head.Header("content-encoding");
  if (!encoding.empty() && encoding != "identity") {
    return {Reason::kServerError, "the server encodes the file although it was asked not to"};
  }
  return head.status == 200 ? AcceptWhole(head) : AcceptRange(head);
}

Status Transfer::AcceptWhole(const ResponseHead& head) {
  MLOS_TRY(CheckLength(head.ContentLength().value_or(item_.expected.size_bytes)));
  // The range was not honoured, or the file has changed: what we have is worthless.
  MLOS_TRY(Restart());
  return NoteSource(head);
}

Status Transfer::AcceptRange(const ResponseHead& head) {
  const std::optional<ContentRange> range = ParseContentRange(head.Header("content-range"));
  const std::string known = part_->EtagFrom(item_.url.text());
  const std::string etag = StrongEtag(head);
  const bool changed = !known.empty() && !etag.empty() && known != etag;
  if (!range.has_value() || range->first != part_->size_bytes() || changed) {
    restart_wanted_ = true;
    return {Reason::kCancelled, "the range differs from the requested one"};
  }
  MLOS_TRY(CheckLength(range->size));
  pieced_together_ = true;
  return NoteSource(head);
}

Status Transfer::CheckLength(std::uint64_t size_bytes) const {
  if (size_bytes == item_.expected.size_bytes) return mlos::OkStatus();
  return {Reason::kChecksumMismatch, "the server offers " + std::to_string(size_bytes) +
                                         " bytes; the repository lists " +
                                         std::to_string(item_.expected.size_bytes)};
}

Status Transfer::NoteSource(const ResponseHead& head) {
  if (item_.expected.size_bytes < kNoteWorthyBytes) return mlos::OkStatus();
  return part_->WriteNote(item_.url.text(), StrongEtag(head));
}

Status Transfer::OnBody(std::string_view bytes) {
  if (!HasContent(exchange_.head())) {
    ignored_bytes_ += bytes.size();
    if (ignored_bytes_ <= kIgnoredBytesMax) return mlos::OkStatus();
    return {Reason::kCancelled, "the rest of the answer is of no interest"};
  }
  if (part_->size_bytes() + bytes.size() > item_.expected.size_bytes) {
    return {Reason::kChecksumMismatch, "the server sends more than the " +
                                           std::to_string(item_.expected.size_bytes) +
                                           " bytes the repository lists"};
  }
  MLOS_TRY(part_->Append(bytes));
  Absorb(bytes);
  return mlos::OkStatus();
}

Status Transfer::Finish(CURLcode code) {
  state_ = State::kReady;
  const Status ended = exchange_.Finish(code);
  const Status judged = Judge(ended);
  if (!judged.ok() && judged.reason() == Reason::kChecksumMismatch) part_->Discard();
  return Named(judged);
}

Status Transfer::Judge(const Status& ended) {
  const ResponseHead& head = exchange_.head();
  if (restart_wanted_ || head.status == 416) {
    MLOS_TRY(Restart());
    return Retry(Status(Reason::kNetwork, "the server does not resume at the right place"), {});
  }
  // For any other answer its head decides, however its body ended.
  if (head.status != 0 && !HasContent(head)) return JudgeResponse();
  if (!ended.ok()) return ended.reason() == Reason::kNetwork ? Retry(ended, {}) : ended;
  if (part_->size_bytes() == item_.expected.size_bytes) return Conclude();
  return Retry(Status(Reason::kNetwork, "the connection broke off"), {});
}

Status Transfer::JudgeResponse() {
  const ResponseHead& head = exchange_.head();
  if (head.IsRedirect()) {
    hop_ = MLOS_TRY(FollowRedirect(access_, exchange_.url(), head, ++hops_));
    return mlos::OkStatus();
  }
  // Only the hub's own answers mean what its protocol says.
  const bool elsewhere = !exchange_.url().SameOrigin(access_.endpoint());
  Status failure =
      elsewhere ? Status(Reason::kServerError, exchange_.url().host() + " answers with status " +
                                                   std::to_string(head.status))
                : options_.explain(item_, head);
  // A signed address elsewhere expires; the hub gives a fresh one.
  const bool expired = elsewhere && head.status == 403;
  if (!head.IsTransient() && !expired) return failure;
  return Retry(failure, head.Header("retry-after"));
}

Status Transfer::Retry(Status why, std::string_view retry_after) {
  if (part_->size_bytes() >= size_at_failure_ + kProgressBytes) backoff_.Reset();
  size_at_failure_ = part_->size_bytes();
  hop_.reset();
  hops_ = 0;
  const auto wait = backoff_.Next(retry_after);
  if (!wait.has_value()) return why;
  due_ = mlos::SteadyClock::now() + *wait;
  return mlos::OkStatus();
}

Status Transfer::Restart() {
  if (part_->size_bytes() > 0) {
    MLOS_TRY(part_->Restart());
    ResetHashers();
  }
  size_at_failure_ = 0;
  pieced_together_ = false;
  return mlos::OkStatus();
}

Status Transfer::Conclude() {
  const mlos::package::Digest sha256 = sha256_hasher_->FinishDigest();
  const std::string found = git_hasher_.has_value() ? git_hasher_->FinishHex() : sha256.Hex();
  if (found == item_.expected.hex) {
    sha256_ = sha256;
    state_ = State::kDone;
    return part_->Sync();
  }
  const bool worth_another_try = pieced_together_;
  MLOS_TRY(part_->Restart());
  ResetHashers();
  pieced_together_ = false;
  if (worth_another_try) return Retry(Status(Reason::kChecksumMismatch, "its digest is wrong"), {});
  return {Reason::kChecksumMismatch,
          "its digest is " + found + "; the repository lists " + item_.expected.hex};
}

}  // namespace axon::fetch
