#include "node/notice_channel.h"

#include <sys/stat.h>

#include "core/assert.h"
#include "vault/durable_file.h"

namespace baolian::node {
namespace {

constexpr std::string_view kNamePlace = "{}";
constexpr std::size_t kShownCharacters = 4;
constexpr std::size_t kMaskedAtLeast = 8;
constexpr std::size_t kIdDigits = 16;

std::string_view words_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::filed:
      return "您好：{}"
             "已按您的授权为您提交保险理赔申请，您无需另行递交材料，审核有结果后会再通知您。"
             "您可以随时通过{}窗口查询进度，也可以撤回申请或授权。\n";
    case NoticeKind::released:
      return "您好：{}"
             "已按您的授权，把本次理赔所需的账单提供给您投保的保险公司，仅用于审核本次申请。"
             "如果这不符合您的意愿，请到{}窗口撤回授权；您也可以查询是谁在何时调阅。\n";
    case NoticeKind::needs_paper:
      return "您好：{}在审核您的理赔申请时，还需要您补充一份书面材料。请尽早把材料带到医院窗口或{}"
             "的"
             "服务网点，工作人员会代您提交；需要哪份材料，可凭有效证件在窗口查询。等待您补充期间，"
             "保险公司的审核时限暂停计算。\n";
    case NoticeKind::decided:
      return "您好：{}已对您的理赔申请作出决定。您有权查看决定内容并要求书面说明理由；如果不认同，"
             "您有权要求由工作人员进行人工复核，复核不会减少已经决定给付的部分。请联系{}，"
             "或通过医院窗口提出。\n";
    case NoticeKind::paid:
      return "您好：{}已安排支付您的理赔款，款项正在划转途中，到账时间以收款账户的银行为准。"
             "如果一段时间后仍未到账，或对款项有疑问，请联系{}。\n";
    case NoticeKind::invited:
      return "您好：您近期的一笔费用可以申请保险理赔。如果您同意保险公司为理赔调阅本次账单，请通过{"
             "}"
             "窗口或参保服务渠道完成授权，授权后系统会自动为您提交申请。是否授权由您决定。\n";
    case NoticeKind::in_review:
      return "您好：您的理赔申请已转由{}的工作人员人工审核，您无需操作，有结果后会通知您。"
             "如果您想补充说明情况，请联系{}。\n";
  }
  ASSERT(false);
  return {};
}

/// Where each character of a UTF-8 text begins.
std::vector<std::size_t> character_starts(std::string_view text) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool continues = (static_cast<std::uint8_t>(text[i]) & 0xC0U) == 0x80U;
    if (!continues) out.push_back(i);
  }
  return out;
}

Result<std::uint64_t> file_time_ms(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return fail(Errc::io_failed, "a delivered notice cannot be looked at; check notices/");
  }
  return static_cast<std::uint64_t>(info.st_mtim.tv_sec) * 1'000 +
         static_cast<std::uint64_t>(info.st_mtim.tv_nsec) / 1'000'000;
}

}  // namespace

std::string notice_text(NoticeKind kind, std::string_view institution_name) {
  std::string_view rest = words_of(kind);
  std::string out;
  for (std::size_t place = rest.find(kNamePlace); place != std::string_view::npos;
       place = rest.find(kNamePlace)) {
    out.append(rest.substr(0, place)).append(institution_name);
    rest.remove_prefix(place + kNamePlace.size());
  }
  return out.append(rest);
}

std::string masked_recipient(std::string_view person) {
  const auto starts = character_starts(person);
  std::string out(kMaskedAtLeast, '*');
  if (starts.size() >= kMaskedAtLeast + kShownCharacters) {
    out.append(person.substr(starts[starts.size() - kShownCharacters]));
  }
  return out;
}

Result<FileChannel> FileChannel::open(std::string directory) {
  TRY(vault::make_directory(directory));
  TRY(vault::sync_directory(directory + "/.."));
  TRY(vault::sweep_temporaries(directory));
  return FileChannel(std::move(directory));
}

Result<std::string> FileChannel::deliver(const Notice& notice) {
  const std::string name =
      notice.id.hex().substr(0, kIdDigits) + "-" + std::string(enum_name(notice.kind)) + ".txt";
  const std::string path = directory_ + "/" + name;
  const std::string content = "致：" + masked_recipient(notice.recipient) + "\n\n" + notice.text;
  const auto created = vault::create_file(path, as_bytes(content));
  if (!created) {
    if (created.error().code != Errc::already_exists) return created.error();
    // Delivered before a crash; its name may not be durable yet.
    TRY(vault::sync_directory(directory_));
  }
  TRY(const std::uint64_t time_ms, file_time_ms(path));
  return name + " " + std::to_string(time_ms);
}

}  // namespace baolian::node
