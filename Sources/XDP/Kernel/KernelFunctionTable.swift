// SPDX-License-Identifier: Apache-2.0

/// Kernel functions (kfuncs) that XDP programs can call on some kernel, and the Linux release that brought each.
///
/// The kernel promises nothing about them: they come, change and go. Whether one is there, and for XDP, is found
/// out by trying: ``KernelSurvey/support(forKernelFunction:module:)``.
public enum KernelFunctionTable {
    /// A kernel function and what is known of it.
    public struct Entry: Sendable, Hashable {
        public let name: String
        /// The release that brought it.
        public let since: String
        /// The module that it is in where it can be one; nil for what is always in the kernel itself.
        public let module: String?
    }

    /// All that are known, by name.
    public static let all: [Entry] = {
        var entries: [Entry] = []
        for (since, module, names) in releases {
            for name in names.split(separator: " ") {
                entries.append(Entry(name: String(name), since: since, module: module))
            }
        }
        return entries.sorted { $0.name < $1.name }
    }()

    /// The function of a name; nil where it is not known.
    public static func entry(named name: String) -> Entry? {
        all.first { $0.name == name }
    }

    private static let releases: [(since: String, module: String?, names: String)] = [
        ("5.18", "nf_conntrack", "bpf_ct_release bpf_xdp_ct_lookup"),
        (
            "6.0", "nf_conntrack",
            """
            bpf_ct_change_status bpf_ct_change_timeout bpf_ct_insert_entry bpf_ct_set_status \
            bpf_ct_set_timeout bpf_xdp_ct_alloc
            """
        ),
        ("6.1", nil, "crash_kexec"),
        ("6.1", "nf_nat", "bpf_ct_set_nat_info"),
        (
            "6.2", nil,
            """
            bpf_cast_to_kern_ctx bpf_cgroup_acquire bpf_cgroup_ancestor bpf_cgroup_release \
            bpf_list_pop_back bpf_list_pop_front bpf_obj_drop_impl bpf_obj_new_impl bpf_rcu_read_lock \
            bpf_rcu_read_unlock bpf_rdonly_cast bpf_task_acquire bpf_task_from_pid bpf_task_release
            """
        ),
        (
            "6.3", nil,
            """
            bpf_rbtree_first bpf_rbtree_remove bpf_xdp_metadata_rx_hash bpf_xdp_metadata_rx_timestamp
            """
        ),
        (
            "6.4", nil,
            """
            bpf_cgroup_from_id bpf_dynptr_from_xdp bpf_dynptr_slice bpf_dynptr_slice_rdwr \
            bpf_iter_num_destroy bpf_iter_num_new bpf_iter_num_next bpf_list_push_back_impl \
            bpf_list_push_front_impl bpf_rbtree_add_impl bpf_refcount_acquire_impl
            """
        ),
        (
            "6.5", nil,
            """
            bpf_dynptr_adjust bpf_dynptr_clone bpf_dynptr_is_null bpf_dynptr_is_rdonly bpf_dynptr_size \
            bpf_task_under_cgroup
            """
        ),
        ("6.6", nil, "bpf_map_sum_elem_count"),
        (
            "6.7", nil,
            """
            bpf_iter_css_destroy bpf_iter_css_new bpf_iter_css_next bpf_iter_css_task_destroy \
            bpf_iter_css_task_new bpf_iter_css_task_next bpf_iter_task_destroy bpf_iter_task_new \
            bpf_iter_task_next bpf_iter_task_vma_destroy bpf_iter_task_vma_new bpf_iter_task_vma_next \
            bpf_percpu_obj_drop_impl bpf_percpu_obj_new_impl bpf_throw
            """
        ),
        (
            "6.8", nil,
            """
            bpf_task_get_cgroup1 bpf_xdp_get_xfrm_state bpf_xdp_metadata_rx_vlan_tag \
            bpf_xdp_xfrm_state_release
            """
        ),
        (
            "6.10", nil,
            """
            bpf_crypto_decrypt bpf_crypto_encrypt bpf_preempt_disable bpf_preempt_enable bpf_wq_init \
            bpf_wq_set_callback_impl bpf_wq_start
            """
        ),
        ("6.11", nil, "bpf_iter_bits_destroy bpf_iter_bits_new bpf_iter_bits_next"),
        ("6.11", "nf_flow_table", "bpf_xdp_flow_lookup"),
        ("6.13", nil, "bpf_get_kmem_cache bpf_send_signal_task bpf_task_from_vpid"),
        ("6.14", nil, "bpf_local_irq_restore bpf_local_irq_save"),
        (
            "6.15", nil,
            """
            bpf_dynptr_copy bpf_res_spin_lock bpf_res_spin_lock_irqsave bpf_res_spin_unlock \
            bpf_res_spin_unlock_irqrestore
            """
        ),
        (
            "6.16", nil,
            """
            __bpf_trap bpf_list_back bpf_list_front bpf_probe_read_kernel_dynptr \
            bpf_probe_read_kernel_str_dynptr bpf_probe_read_user_dynptr bpf_probe_read_user_str_dynptr \
            bpf_rbtree_left bpf_rbtree_right bpf_rbtree_root
            """
        ),
        (
            "6.17", nil,
            """
            bpf_cgroup_read_xattr bpf_dynptr_memset bpf_strchr bpf_strchrnul bpf_strcmp bpf_strcspn \
            bpf_stream_vprintk_impl bpf_strlen bpf_strnchr bpf_strnlen bpf_strnstr bpf_strrchr \
            bpf_strspn bpf_strstr
            """
        ),
        (
            "6.18", nil,
            """
            bpf_strcasecmp bpf_task_work_schedule_resume_impl bpf_task_work_schedule_signal_impl \
            bpf_xdp_pull_data
            """
        ),
        ("6.19", nil, "bpf_dynptr_file_discard bpf_dynptr_from_file bpf_strcasestr bpf_strncasestr"),
        (
            "7.0", nil,
            """
            bpf_stream_print_stack bpf_stream_vprintk bpf_strncasecmp bpf_task_work_schedule_resume \
            bpf_task_work_schedule_signal bpf_timer_cancel_async bpf_wq_set_callback
            """
        ),
        (
            "7.1", nil,
            """
            bpf_list_push_back bpf_list_push_front bpf_obj_drop bpf_obj_new bpf_percpu_obj_drop \
            bpf_percpu_obj_new bpf_rbtree_add bpf_refcount_acquire
            """
        ),
    ]
}
