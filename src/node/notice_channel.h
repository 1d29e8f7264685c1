/// What a person is told, in which words, and over which channel. The words are the same for
/// everybody: they say what happened and what the person can do next, and hold no medical content,
/// amount, name or number of anybody, so that a channel that others can read (SMS, a counter's
/// printer) gives nothing away but that there is a claim.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"

namespace baolian::node {

enum class NoticeKind : std::uint8_t {
  filed = 1,
  released = 2,
  needs_paper = 3,
  decided = 4,
  paid = 5,
  invited = 6,
  in_review = 7,
};
constexpr auto enum_names(NoticeKind) {
  return std::array<std::string_view, 8>{"",        "filed", "released", "needs_paper",
                                         "decided", "paid",  "invited",  "in_review"};
}

/// The text of a kind, in Chinese, ending with a line break. `institution_name` is the public name
/// of the institution that gives the notice.
std::string notice_text(NoticeKind kind, std::string_view institution_name);

/// Names a person: never logged, stored sealed only.
struct Notice {
  static constexpr std::string_view kTypeName = "Notice";
  static constexpr std::uint32_t kRecipientBytesMax = 128;
  static constexpr std::uint32_t kTextBytesMax = 4096;
  Version<1> version;
  Hash id;
  NoticeKind kind = NoticeKind::filed;
  std::string recipient;  ///< person id
  std::string text;       ///< notice_text()

  static constexpr auto fields() {
    return field_list(
        field("version", &Notice::version, "format version"),
        field("id", &Notice::id, "of the notice, the same each time it is derived"),
        field("kind", &Notice::kind, "what happened"),
        field("recipient", &Notice::recipient, between(1, kRecipientBytesMax), "person id"),
        field("text", &Notice::text, between(1, kTextBytesMax), "what the person reads"));
  }
};

/// The port. An error text names no person; whoever calls logs the code only.
class NoticeChannel {
 public:
  static constexpr std::uint32_t kReceiptBytesMax = 256;

  virtual ~NoticeChannel() = default;

  /// Delivers once: the same id again gives a receipt and reaches nobody a second time. May block
  /// for some seconds. One caller at a time. Returns: the receipt, 1..kReceiptBytesMax bytes; any
  /// error if it is to be tried again.
  virtual Result<std::string> deliver(const Notice& notice) = 0;
};

/// The embedded default: <first 16 digits of the id>-<kind>.txt in its directory, mode 0600, for a
/// person to read or a printer to fetch. The recipient is masked but for the last four characters.
/// Receipt: file name, space, time of the file in ms.
class FileChannel final : public NoticeChannel {
 public:
  /// Makes the directory in a parent that is there. Returns: Errc::io_failed.
  static Result<FileChannel> open(std::string directory);

  /// Returns: Errc::io_failed.
  Result<std::string> deliver(const Notice& notice) override;

 private:
  explicit FileChannel(std::string directory) : directory_(std::move(directory)) {}

  std::string directory_;
};

/// A person id as a notice may show it: eight stars and its last four characters; of an id of fewer
/// than twelve characters the stars alone.
std::string masked_recipient(std::string_view person);

}  // namespace baolian::node
