#include "maintainer/core/sender.h"

message_t *sender_message(const sender_t *sender, node_index_t node, message_type_t type)
{
    const node_entry_t *entry = node_set_at(sender->nodes, node);
    if (!entry->is_present)
        return NULL;
    message_t *message = effects_add_send(sender->effects, &entry->id, entry->incarnation, type);
    message->header.sender = sender->name;
    message->header.incarnation = sender->incarnation;
    message->header.maintainer_epoch = sender->maintainer_epoch;
    return message;
}
